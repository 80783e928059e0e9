// What a rule does: drop the event, or keep it with a fate for each column and perhaps a picture.
import { Icon } from '../../../components/Icon';
import { Segmented } from '../../../components/Segmented';
import type { VocabularyColumn } from '../../../client';
import { t } from '../../../text';
import { type Change, insert, setAttribute } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, type XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { type Columns, type Fate, FATES, fateOf, type LogWords, readLog, withFate, withFates, writeLog } from '../grid';

const SCOPES = ['none', 'window', 'desktop'] as const;
type Scope = (typeof SCOPES)[number];
/** Stands for the columns that are in no group. */
const OTHERS = '';

export function Outcome({ rule }: { rule: XmlElement }) {
  const { text, edit } = useDraft();
  const log = firstElement(rule, 'log');
  return (
    <div className="stack-tight" role="group" aria-label={t('outcome.title')}>
      <h3>{t('outcome.title')}</h3>
      <Segmented label={t('outcome.title')} value={log ? 'log' : 'drop'} onChange={(next) => edit(become(text, rule, next))} choices={[{ value: 'log', text: t('outcome.log') }, { value: 'drop', text: t('outcome.drop') }]} />
      {log && <ColumnGrid log={log} />}
    </div>
  );
}

/** Turns <log …> into <drop/> and back. What a log said goes with it. */
function become(text: string, rule: XmlElement, next: 'log' | 'drop'): Change[] {
  const present = elementsOf(rule).find((one) => one.name === 'log' || one.name === 'drop');
  const inside = next === 'log' ? '<log columns="@app"/>' : '<drop/>';
  if (!present) return insert(text, rule, inside);
  return present.name === next ? [] : [{ from: present.from, to: present.to, insert: inside }];
}

function ColumnGrid({ log }: { log: XmlElement }) {
  const { text, vocabulary, edit } = useDraft();
  const words = readLog(log);
  const screenshot = (attributeOf(log, 'screenshot') ?? 'none') as Scope;
  const set = (next: LogWords) => edit(writeLog(text, log, next));
  const free = vocabulary.columns.filter((column) => column.decided_by_rules);
  const grouped = new Set(vocabulary.groups.flatMap((group) => group.columns));
  return (
    <>
      <div className="field"><span>{t('outcome.screenshot')}</span>
        <Segmented label={t('outcome.screenshot')} value={screenshot} onChange={(next) => edit(setAttribute(text, log, 'screenshot', next === 'none' ? null : next))} choices={SCOPES.map((one) => ({ value: one, text: t(`outcome.screenshot.${one}`) }))} />
      </div>
      <Replacements log={log} />
      <div className="table-scroll" tabIndex={0} role="group" aria-label={t('outcome.columns')}>
        <table className="table column-grid">
          <thead><tr><th scope="col">{t('outcome.column')}</th>{FATES.map((fate) => <th key={fate} scope="col">{t(`fate.${fate}`)}</th>)}</tr></thead>
          {vocabulary.groups.map((group) => <GroupRows key={group.name} group={group.name} columns={free.filter((column) => group.columns.includes(column.name))} all={vocabulary} words={words} onChange={set} />)}
          <GroupRows group={OTHERS} columns={free.filter((column) => !grouped.has(column.name))} all={vocabulary} words={words} onChange={set} />
        </table>
      </div>
    </>
  );
}

interface GroupRowsProps { group: string; columns: VocabularyColumn[]; all: Columns; words: LogWords; onChange: (words: LogWords) => void }

function GroupRows({ group, columns, all, words, onChange }: GroupRowsProps) {
  return (
    <tbody>
      <tr className="column-group">
        <th scope="rowgroup"><span className="mono">{group || t('outcome.others')}</span></th>
        {FATES.map((fate) => (
          <td key={fate}>
            {/* What must be named singly is never set with others. */}
            {group !== OTHERS && open(fate, columns).length > 0 && (
              <button type="button" className="button-link small" aria-label={t('outcome.allOf', { group, fate: t(`fate.${fate}`) })} onClick={() => onChange(withFates(words, all, open(fate, columns), fate))}>{t('outcome.all')}</button>
            )}
          </td>
        ))}
      </tr>
      {columns.map((column) => <ColumnRow key={column.name} column={column} fate={fateOf(words, all, column.name)} onChange={(fate) => onChange(withFate(words, all, column.name, fate))} />)}
    </tbody>
  );
}

/** The columns that can have a fate: only texts can be hashed or replaced. */
const open = (fate: Fate, columns: VocabularyColumn[]): string[] => columns.filter((one) => fate === 'sent' || fate === 'dropped' || one.hashable).map((one) => one.name);

function ColumnRow({ column, fate, onChange }: { column: VocabularyColumn; fate: Fate; onChange: (fate: Fate) => void }) {
  return (
    <tr>
      <th scope="row">
        <span className="mono">{column.name}</span>
        {column.personal && <span className="tag tag-warm personal"><Icon name="people" size={12} />{t('outcome.personal')}</span>}
        <br /><span className="muted small">{column.meaning}</span>
      </th>
      {FATES.map((one) => (
        <td key={one}>
          {open(one, [column]).length > 0 && (
            <label className="fate"><input type="radio" name={`fate-${column.name}`} checked={fate === one} aria-label={t('outcome.fateOf', { column: column.name, fate: t(`fate.${one}`) })} onChange={() => onChange(one)} /></label>
          )}
        </td>
      ))}
    </tr>
  );
}

/** What replaced columns show instead; one field for each <replace>. */
function Replacements({ log }: { log: XmlElement }) {
  const { text, edit } = useDraft();
  return elementsOf(log, 'replace').map((one, index) => (
    <label key={index} className="field"><span>{t('outcome.with', { columns: attributeOf(one, 'columns') ?? '' })}</span>
      <input className="input" maxLength={80} placeholder="(removed)" value={attributeOf(one, 'with') ?? ''} onChange={(event) => edit(setAttribute(text, one, 'with', event.target.value || null))} />
    </label>
  ));
}
