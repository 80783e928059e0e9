// Fields for attributes, made from the vocabulary: a value, its meaning, its default, and what the check says about it.
import { type ReactNode, useId } from 'react';
import type { Problem, VocabularyAttribute } from '../../../client';
import { Icon } from '../../../components/Icon';
import { t } from '../../../text';
import { insertInOrder, markup, remove, setAttribute } from '../../../xml/edit';
import { attributeOf, firstElement, type XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { describedBy, ORDER, problemsIn, rangeOf } from '../model';

/** Types whose values are long, so that their fields take the whole width. */
const WIDE: ReadonlySet<string> = new Set(['text', 'regex', 'glob', 'path_glob', 'host', 'columns', 'events', 'names', 'choices', 'values', 'words']);

interface AttributeFieldProps {
  attribute: VocabularyAttribute;
  /** Null while the element is missing; `onChange` then makes it. */
  element: XmlElement | null;
  label?: string;
  onChange: (value: string | null) => void;
}

/** One attribute. An empty field takes it away, so that its default holds again. */
export function AttributeField({ attribute, element, label, onChange }: AttributeFieldProps) {
  const id = useId();
  const { text, problems } = useDraft();
  const written = attributeOf(element, attribute.name);
  const place = element?.attributes.find((one) => one.name === attribute.name);
  const found = place ? problemsIn(text, problems, place) : [];
  const fallback = attribute.default ?? '';
  const value = written ?? fallback;
  const choices = attribute.type === 'word' ? attribute.words : attribute.type === 'column' ? attribute.columns : undefined;
  const range = rangeOf(attribute);
  const common = { id, 'aria-describedby': `${id}-note`, 'aria-invalid': found.length > 0 || undefined };
  return (
    <div className={WIDE.has(attribute.type) ? 'attribute attribute-wide' : 'attribute'}>
      <label htmlFor={id} className="attribute-name">{label ?? attribute.meaning}<code className="muted">{attribute.name}</code></label>
      <div className="attribute-value">
        {attribute.type === 'bool' ? (
          <input {...common} type="checkbox" className="switch" checked={value === 'true'} onChange={(event) => onChange(String(event.target.checked))} />
        ) : choices ? (
          <select {...common} className="input" value={value} onChange={(event) => onChange(event.target.value || null)}>
            {!attribute.required && fallback === '' && <option value="">{t('configuration.none')}</option>}
            {choices.map((one) => <option key={one}>{one}</option>)}
            {!choices.includes(value) && value !== '' && <option>{value}</option>}
          </select>
        ) : (
          <input {...common} className="input mono" value={written ?? ''} placeholder={fallback} required={attribute.required} onChange={(event) => onChange(event.target.value || null)} />
        )}
      </div>
      <div id={`${id}-note`} className="attribute-note small">
        {found.length > 0 ? <Problems problems={found} /> : (
          <span className="muted">
            {range && t('configuration.range', { range })}
            {written !== null && fallback !== '' && written !== fallback && <> <button type="button" className="button-link" onClick={() => onChange(null)}>{t('configuration.useDefault', { value: fallback })}</button></>}
          </span>
        )}
      </div>
    </div>
  );
}

/** All attributes of one section, such as <upload>; a missing section is made with the first value. */
export function SectionFields({ root, name, only }: { root: XmlElement; name: string; only?: string[] }) {
  const { text, vocabulary, edit } = useDraft();
  const described = describedBy(vocabulary, name);
  const element = firstElement(root, name);
  if (!described) return null;
  const change = (attribute: string) => (value: string | null) => {
    if (element) edit(setAttribute(text, element, attribute, value));
    else if (value !== null) edit(insertInOrder(text, root, ORDER, name, markup(name, { [attribute]: value })));
  };
  return (
    <div className="attributes">
      {described.attributes.filter((one) => !only || only.includes(one.name)).map((one) => <AttributeField key={one.name} attribute={one} element={element} onChange={change(one.name)} />)}
    </div>
  );
}

/** Attributes of an element that is there, such as one <window> of a schedule. */
export function ElementFields({ element, kind = element.name, only }: { element: XmlElement; kind?: string; only?: string[] }) {
  const { text, vocabulary, edit } = useDraft();
  return (
    <div className="attributes">
      {(describedBy(vocabulary, kind)?.attributes ?? []).filter((one) => !only || only.includes(one.name)).map((one) => (
        <AttributeField key={one.name} attribute={one} element={element} onChange={(value) => edit(setAttribute(text, element, one.name, value))} />
      ))}
    </div>
  );
}

export function Problems({ problems }: { problems: Problem[] }) {
  return (
    <>
      {problems.map((one, index) => (
        <span key={index} className={one.severity === 'error' ? 'field-error' : 'field-warning'}><Icon name="warning" size={14} /> {one.message}{one.hint && <span className="muted"> {one.hint}</span>}</span>
      ))}
    </>
  );
}

/** A box around one element of a list, with its name and a button that takes it away. */
export function Item({ element, title, actions, children }: { element: XmlElement; title: string; actions?: ReactNode; children: ReactNode }) {
  const { text, problems, edit } = useDraft();
  const own = problemsIn(text, problems, { from: element.from, to: element.openTo }).filter((one) => !element.attributes.some((attribute) => problemsIn(text, [one], attribute).length > 0));
  return (
    <div className="item" role="group" aria-label={title}>
      <div className="item-head">
        <strong className="grow truncate">{title}</strong>
        {actions}
        <button type="button" className="button button-quiet button-icon button-small" aria-label={t('action.remove', { what: title })} onClick={() => edit(remove(text, element))}><Icon name="close" size={16} /></button>
      </div>
      {own.length > 0 && <p className="small"><Problems problems={own} /></p>}
      {children}
    </div>
  );
}

export function AddButton({ label, onAdd }: { label: string; onAdd: () => void }) {
  return <div><button type="button" className="button" onClick={onAdd}><Icon name="plus" size={16} />{label}</button></div>;
}
