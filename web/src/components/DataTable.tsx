// A table one can sort by its heads; long ones draw only the rows in sight. It fetches nothing.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { t } from '../text';
import { Icon } from './Icon';

export interface TableColumn<T> {
  name: string;
  title: string;
  /** What the column is sorted by; without it the head is not a button. */
  value?: (row: T) => string | number | boolean | null | undefined;
  show: (row: T) => ReactNode;
  numeric?: boolean;
  wrap?: boolean;
  /** Names the row for assistive technology; at most one column. */
  head?: boolean;
}

interface DataTableProps<T> {
  label: string;
  columns: TableColumn<T>[];
  rows: T[];
  height_px?: number;
  rowKey?: (row: T, index: number) => string | number;
  isCurrent?: (row: T) => boolean;
}

/** Above this many rows only those in sight are drawn. */
const DRAWN_ROWS_MAX = 150;
const ROW_PX = 33;

export function DataTable<T>({ label, columns, rows, height_px = 420, rowKey, isCurrent }: DataTableProps<T>) {
  const [sort, setSort] = useState<{ name: string; down: boolean } | null>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  const windowed = sorted.length > DRAWN_ROWS_MAX;
  const virtual = useVirtualizer({
    count: windowed ? sorted.length : 0,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const first = windowed ? (items[0]?.index ?? 0) : 0;
  const last = windowed ? (items.at(-1)?.index ?? Math.min(40, sorted.length - 1)) : sorted.length - 1;
  const before_px = first * ROW_PX;
  const after_px = Math.max(0, (sorted.length - 1 - last) * ROW_PX);

  return (
    <div className="table-scroll" ref={scroll} tabIndex={0} role="group" aria-label={label} style={{ maxHeight: height_px }}>
      <table className="table" aria-rowcount={sorted.length + 1}>
        <thead>
          <tr>
            {columns.map((column) => (
              <HeadCell
                key={column.name} column={column} sort={sort}
                onSort={() => setSort({ name: column.name, down: sort?.name === column.name ? !sort.down : Boolean(column.numeric) })}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {before_px > 0 && <tr className="spacer" aria-hidden="true"><td colSpan={columns.length} style={{ height: before_px }} /></tr>}
          {sorted.slice(first, last + 1).map((row, index) => (
            <tr
              key={rowKey ? rowKey(row, first + index) : first + index} aria-rowindex={first + index + 2}
              aria-current={isCurrent?.(row) || undefined}
            >
              {columns.map((column) => <BodyCell key={column.name} column={column} row={row} />)}
            </tr>
          ))}
          {after_px > 0 && <tr className="spacer" aria-hidden="true"><td colSpan={columns.length} style={{ height: after_px }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

function HeadCell<T>({ column, sort, onSort }: { column: TableColumn<T>; sort: { name: string; down: boolean } | null; onSort: () => void }) {
  const sorted = sort?.name === column.name ? (sort.down ? 'descending' : 'ascending') : undefined;
  return (
    <th scope="col" className={column.numeric ? 'end' : undefined} aria-sort={sorted}>
      {column.value ? (
        <button type="button" className="sort" data-sorted={sorted} onClick={onSort} title={t('table.sort', { column: column.title })}>
          {column.title}
          <Icon name={sorted === 'ascending' ? 'up' : 'down'} size={12} />
        </button>
      ) : column.title}
    </th>
  );
}

function BodyCell<T>({ column, row }: { column: TableColumn<T>; row: T }) {
  const className = column.numeric ? 'end' : column.wrap ? 'wrap' : 'text';
  if (column.head) return <th scope="row" className={className}>{column.show(row)}</th>;
  const shown = column.show(row);
  return <td className={className} title={typeof shown === 'string' && !column.numeric && !column.wrap ? shown : undefined}>{shown}</td>;
}

function sortRows<T>(rows: T[], columns: TableColumn<T>[], sort: { name: string; down: boolean } | null): T[] {
  const value = columns.find((column) => column.name === sort?.name)?.value;
  if (!sort || !value) return rows;
  const sign = sort.down ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(value(a), value(b)));
}

/** Orders numbers as numbers, text as people do, and puts absent values first. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
