// The rules in their order: the first that matches decides. They are moved by dragging or by their buttons; one at a time is open.
import { type DragEvent, useState } from 'react';
import { Icon } from '../../../components/Icon';
import { changeQuery, usePlace } from '../../../state/location';
import { t } from '../../../text';
import { duplicate, insert, insertInOrder, move, remove, setAttribute } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, wordsOf, type XmlElement } from '../../../xml/tree';
import { conditionOf, describe } from '../condition';
import { useDraft } from '../draft';
import { freeName, namesOf, ORDER, problemsIn } from '../model';
import { ConditionBuilder, conditionWords } from './ConditionBuilder';
import { Events } from './Events';
import { Problems } from './Fields';
import { Outcome } from './Outcome';

export function Rules({ root }: { root: XmlElement }) {
  const { text, edit } = useDraft();
  const { query } = usePlace();
  const section = firstElement(root, 'rules');
  const rules = elementsOf(section, 'rule');
  const otherwise = firstElement(section, 'otherwise');
  const open = query.get('rule') === null ? -1 : Number(query.get('rule'));
  const show = (index: number | null) => changeQuery({ rule: index === null ? null : String(index) }, { replace: true });
  const [dragged, setDragged] = useState<number | null>(null);
  const [said, setSaid] = useState('');

  const moveTo = (from: number, to: number) => {
    const rule = rules[from];
    if (!rule || to < 0 || to >= rules.length) return;
    edit(move(text, rule, to));
    if (open === from) show(to);
    setSaid(t('rules.moved', { name: attributeOf(rule, 'name') ?? '', place: to + 1, count: rules.length }));
  };
  const add = () => {
    const inside = `<rule name="${freeName(namesOf(rules), t('rules.new'))}">\n  <on events="all"/>\n  <log columns="@app"/>\n</rule>`;
    edit(section ? insert(text, section, inside, otherwise) : insertInOrder(text, root, ORDER, 'rules', `<rules>\n  ${inside.split('\n').join('\n  ')}\n</rules>`));
    show(rules.length);
  };
  const copy = (index: number) => {
    edit(duplicate(text, rules[index]!, { name: freeName(namesOf(rules), attributeOf(rules[index]!, 'name') ?? t('rules.new')) }));
    show(index + 1);
  };
  return (
    <div className="stack-tight">
      {rules.length === 0 && <p className="note">{t('rules.none')}</p>}
      <ol className="rules" aria-label={t('section.rules')}>
        {rules.map((rule, index) => (
          <RuleItem
            key={index} rule={rule} index={index} count={rules.length} open={index === open} dragged={dragged === index}
            onOpen={() => show(index === open ? null : index)} onMove={(to) => moveTo(index, to)} onCopy={() => copy(index)} onRemove={() => { edit(remove(text, rule)); show(null); }}
            onDrag={(on) => setDragged(on ? index : null)} onDrop={() => { if (dragged !== null) moveTo(dragged, index); setDragged(null); }}
          />
        ))}
        <li className="rule">
          <div className="rule-head"><span className="rule-number" aria-hidden="true">{rules.length + 1}</span><span className="grow"><strong>{t('rules.otherwise')}</strong><br /><span className="muted small">{otherwise && firstElement(otherwise, 'log') ? t('rules.says.log', { columns: wordsOf(firstElement(otherwise, 'log'), 'columns').join(' ') }) : t('rules.says.drop')}</span></span></div>
        </li>
      </ol>
      <span role="status" className="visually-hidden">{said}</span>
      <div><button type="button" className="button" onClick={add}><Icon name="plus" size={16} />{t('rules.add')}</button></div>
    </div>
  );
}

interface RuleItemProps {
  rule: XmlElement; index: number; count: number; open: boolean; dragged: boolean;
  onOpen: () => void; onMove: (to: number) => void; onCopy: () => void; onRemove: () => void; onDrag: (on: boolean) => void; onDrop: () => void;
}

function RuleItem({ rule, index, count, open, dragged, onOpen, onMove, onCopy, onRemove, onDrag, onDrop }: RuleItemProps) {
  const { text, problems } = useDraft();
  const [over, setOver] = useState(false);
  const name = attributeOf(rule, 'name') ?? '';
  const found = problemsIn(text, problems, rule);
  const errors = found.some((one) => one.severity === 'error');
  const drop = (event: DragEvent) => { event.preventDefault(); setOver(false); onDrop(); };
  return (
    <li
      className={`rule ${over ? 'rule-over' : ''} ${dragged ? 'rule-dragged' : ''}`}
      onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}
    >
      <div className="rule-head" draggable={!open} onDragStart={(event) => { event.dataTransfer.effectAllowed = 'move'; event.dataTransfer.setData('text/plain', name); onDrag(true); }} onDragEnd={() => onDrag(false)}>
        <span className="rule-number" aria-hidden="true">{index + 1}</span>
        <button type="button" className="rule-open" aria-expanded={open} onClick={onOpen}>
          <strong className="truncate">{name}</strong>
          <span className="muted small rule-says"><RuleText rule={rule} /></span>
        </button>
        {found.length > 0 && <span className={`tag ${errors ? 'tag-bad' : 'tag-warm'}`}><span aria-hidden="true">{errors ? '!' : '?'}</span><span className="visually-hidden">{t('configuration.problems', { count: found.length })}</span></span>}
        <span className="rule-moves">
          <button type="button" className="button button-quiet button-icon button-small" aria-label={t('rules.up', { name })} disabled={index === 0} onClick={() => onMove(index - 1)}><Icon name="up" size={14} /></button>
          <button type="button" className="button button-quiet button-icon button-small" aria-label={t('rules.down', { name })} disabled={index === count - 1} onClick={() => onMove(index + 1)}><Icon name="down" size={14} /></button>
        </span>
      </div>
      {open && <RuleBody rule={rule} onCopy={onCopy} onRemove={onRemove} />}
    </li>
  );
}

/** "left_click, key_command · process_name is excel.exe → keeps @app". */
function RuleText({ rule }: { rule: XmlElement }) {
  const condition = conditionOf(rule);
  const log = firstElement(rule, 'log');
  const on = firstElement(rule, 'on');
  const except = attributeOf(on, 'except');
  const events = attributeOf(on, 'events') ?? 'all';
  const screenshot = attributeOf(log, 'screenshot');
  return (
    <>
      {except ? t('rules.says.onExcept', { events, except }) : t('rules.says.on', { events })} · {condition ? describe(condition, conditionWords()) : t('rules.says.always')} → {log ? t('rules.says.log', { columns: wordsOf(log, 'columns').join(' ') }) : t('rules.says.drop')}
      {screenshot && screenshot !== 'none' && t('rules.says.picture')}
    </>
  );
}

function RuleBody({ rule, onCopy, onRemove }: { rule: XmlElement; onCopy: () => void; onRemove: () => void }) {
  const { text, problems, edit } = useDraft();
  const own = problemsIn(text, problems, rule);
  return (
    <div className="rule-body stack">
      {own.length > 0 && <div className="stack-tight small"><Problems problems={own} /></div>}
      <div className="two-fields">
        <label className="field"><span>{t('rules.name')}</span><input className="input" maxLength={80} value={attributeOf(rule, 'name') ?? ''} onChange={(event) => edit(setAttribute(text, rule, 'name', event.target.value))} /></label>
        <label className="field"><span>{t('rules.description')}</span><input className="input" maxLength={500} value={attributeOf(rule, 'description') ?? ''} onChange={(event) => edit(setAttribute(text, rule, 'description', event.target.value || null))} /></label>
      </div>
      <Events rule={rule} />
      <ConditionBuilder rule={rule} />
      <Outcome rule={rule} />
      <div className="dialog-foot">
        <button type="button" className="button button-bad" style={{ marginInlineEnd: 'auto' }} onClick={onRemove}>{t('rules.remove')}</button>
        <button type="button" className="button" onClick={onCopy}>{t('rules.copy')}</button>
      </div>
    </div>
  );
}
