// Builds a rule's condition as a tree: groups (all, any, not) around comparisons of one column with values.
import { Icon } from '../../../components/Icon';
import { t } from '../../../text';
import { setAttribute } from '../../../xml/edit';
import { attributeOf, elementsOf, type XmlElement } from '../../../xml/tree';
import { addCondition, addInto, changeKind, COMPARISONS, type Comparison, conditionOf, type Group, GROUPS, isComparison, isGroup, removeCondition, setValues, valuesOf, type Words } from '../condition';
import { useDraft } from '../draft';

export const conditionWords = (): Words => ({
  all: t('condition.and'), any: t('condition.or'), not: t('condition.not'), or: t('condition.or'), unknown: t('condition.unknown'),
  comparison: Object.fromEntries(COMPARISONS.map((kind) => [kind, t(`condition.${kind}`)])) as Record<Comparison, string>,
});

export function ConditionBuilder({ rule }: { rule: XmlElement }) {
  const { text, edit } = useDraft();
  const condition = conditionOf(rule);
  return (
    <div className="stack-tight" role="group" aria-label={t('condition.title')}>
      <h3>{t('condition.title')}</h3>
      {condition ? <Node condition={condition} /> : <p className="muted">{t('condition.always')}</p>}
      <div><button type="button" className="button button-small" onClick={() => edit(addCondition(text, rule))}><Icon name="plus" size={14} />{t('condition.add')}</button></div>
    </div>
  );
}

function Node({ condition }: { condition: XmlElement }) {
  const { text, edit } = useDraft();
  const group = isGroup(condition.name);
  if (!group && !isComparison(condition.name)) return <p className="note">{t('condition.unknown')} <code>{condition.name}</code></p>;
  const children = elementsOf(condition);
  return (
    <div className={group ? 'condition condition-group' : 'condition'}>
      <div className="condition-row">
        <select className="input condition-kind" aria-label={t('condition.kind')} value={condition.name} onChange={(event) => edit(changeKind(text, condition, event.target.value as Group | Comparison))}>
          <optgroup label={t('condition.groups')}>{GROUPS.map((kind) => <option key={kind} value={kind}>{t(`condition.group.${kind}`)}</option>)}</optgroup>
          {/* A group of several cannot become one comparison. */}
          <optgroup label={t('condition.comparisons')}>{COMPARISONS.map((kind) => <option key={kind} value={kind} disabled={group && (children.length !== 1 || isGroup(children[0]!.name))}>{t(`condition.${kind}`)}</option>)}</optgroup>
        </select>
        {!group && <ComparisonFields comparison={condition} />}
        <button type="button" className="button button-quiet button-icon button-small" aria-label={t('condition.remove')} onClick={() => edit(removeCondition(text, condition))}><Icon name="close" size={14} /></button>
      </div>
      {group && (
        <div className="condition-inside">
          {children.map((child, index) => <Node key={index} condition={child} />)}
          {(condition.name !== 'not' || children.length === 0) && <div><button type="button" className="button button-small" onClick={() => edit(addInto(text, condition))}><Icon name="plus" size={14} />{t('condition.addInto')}</button></div>}
        </div>
      )}
    </div>
  );
}

function ComparisonFields({ comparison }: { comparison: XmlElement }) {
  const { text, vocabulary, edit } = useDraft();
  const column = attributeOf(comparison, 'column') ?? '';
  const columns = vocabulary.columns.filter((one) => one.comparable).map((one) => one.name);
  const exact = attributeOf(comparison, 'case') === 'exact';
  const values = valuesOf(comparison);
  return (
    <>
      <select className="input condition-column mono" aria-label={t('condition.column')} value={column} onChange={(event) => edit(setAttribute(text, comparison, 'column', event.target.value))}>
        {!columns.includes(column) && <option value={column}>{column}</option>}
        {columns.map((name) => <option key={name}>{name}</option>)}
      </select>
      {comparison.name !== 'present' && (
        <>
          {/* In a regular expression a | is part of it, so it is one value. */}
          <input
            className="input mono condition-value" aria-label={t('condition.values')} title={t('condition.values.note')} value={values.join('|')}
            onChange={(event) => edit(setValues(text, comparison, comparison.name === 'regex' ? [event.target.value] : event.target.value.split('|')))}
          />
          {comparison.name !== 'regex' && <label className="check small"><input type="checkbox" checked={exact} onChange={(event) => edit(setAttribute(text, comparison, 'case', event.target.checked ? 'exact' : null))} />{t('condition.exact')}</label>}
        </>
      )}
    </>
  );
}
