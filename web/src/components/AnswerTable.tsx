// The table twin of a chart: an analysis answer as it came, with titles and units written out.
import { useMemo } from 'react';
import type { Answer, Cell, Column } from '../client';
import { columnTitle, formatCell, isNumeric } from '../format/cells';
import { DataTable, type TableColumn } from './DataTable';

type Row = Cell[];

interface AnswerTableProps {
  answer: Pick<Answer, 'columns' | 'rows'>;
  label: string;
  height_px?: number;
  format?: (column: Column, value: Cell | undefined) => string;
  title?: (name: string) => string;
}

export function AnswerTable({ answer, label, height_px, format = formatCell, title = columnTitle }: AnswerTableProps) {
  const columns = useMemo(
    () => answer.columns.map((column, index): TableColumn<Row> => ({
      name: `${index}`,
      title: title(column.name),
      numeric: isNumeric(column),
      value: (row) => {
        const cell = row[index];
        return Array.isArray(cell) ? cell.length : typeof cell === 'object' ? null : cell;
      },
      show: (row) => format(column, row[index]),
    })),
    [answer.columns, format, title],
  );
  return <DataTable label={label} columns={columns} rows={answer.rows} height_px={height_px} />;
}
