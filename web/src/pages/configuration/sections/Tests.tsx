// Examples that prove the rules: an event, and what must become of it. Their results stand beside them while one types.
import { Icon } from '../../../components/Icon';
import { t } from '../../../text';
import { insert, markup, setAttribute } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, placeOf, type XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { addTo, allowedProcesses, eventTypes, freeName, namesOf } from '../model';
import { AddButton, ElementFields, Item } from './Fields';

export function Tests({ root }: { root: XmlElement }) {
  const { text, edit } = useDraft();
  const tests = elementsOf(firstElement(root, 'tests'), 'test');
  const add = () => {
    const event = markup('event', { event_type: 'left_click', process_name: allowedProcesses(root)[0] ?? 'excel.exe' });
    edit(addTo(text, root, 'tests', `<test name="${freeName(namesOf(tests), t('tests.new'))}" expect="log">\n  ${event}\n</test>`));
  };
  return (
    <div className="stack-tight">
      {tests.length === 0 && <p className="note">{t('tests.none')}</p>}
      {tests.map((one, index) => (
        <Item key={index} element={one} title={attributeOf(one, 'name') ?? ''} actions={<Result test={one} />}>
          <Messages test={one} />
          <ElementFields element={one} />
          <Cells test={one} name="event" title={t('tests.event')} />
          <Cells test={one} name="result" title={t('tests.result')} />
        </Item>
      ))}
      <AddButton label={t('tests.add')} onAdd={add} />
    </div>
  );
}

/** The service's word about a test; tests are told apart by their line. */
function useResult(test: XmlElement) {
  const { text, check } = useDraft();
  return check?.tests.find((one) => one.line === placeOf(text, test.from).line) ?? null;
}

function Result({ test }: { test: XmlElement }) {
  const result = useResult(test);
  if (!result) return <span className="tag"><span aria-hidden="true">…</span>{t('tests.open')}</span>;
  return result.passed ? <span className="tag tag-good"><span aria-hidden="true">✓</span>{t('tests.passed')}</span> : <span className="tag tag-bad"><span aria-hidden="true">!</span>{t('tests.failed')}</span>;
}

function Messages({ test }: { test: XmlElement }) {
  const result = useResult(test);
  if (!result || result.passed) return null;
  return <ul className="field-error small">{result.messages.map((one) => <li key={one}>{one}</li>)}</ul>;
}

/** The columns of an event or of the expected result: one field each, and one to add another. */
function Cells({ test, name, title }: { test: XmlElement; name: 'event' | 'result'; title: string }) {
  const { text, vocabulary, edit } = useDraft();
  const element = firstElement(test, name);
  const used = element?.attributes.map((one) => one.name) ?? [];
  const free = vocabulary.columns.map((one) => one.name).filter((column) => !used.includes(column) && (name === 'event' || column !== 'event_type'));
  const add = (column: string) => {
    if (element) edit(setAttribute(text, element, column, ''));
    else edit(insert(text, test, markup(name, { [column]: '#null' })));
  };
  return (
    <div className="stack-tight" role="group" aria-label={title}>
      <span className="label">{title}</span>
      <div className="cells">
        {element?.attributes.map((one) => (
          <label key={one.name} className="field"><span className="mono">{one.name}</span>
            <div className="row" style={{ gap: 4 }}>
              {one.name === 'event_type' ? (
                <select className="input" value={one.value} onChange={(event) => edit(setAttribute(text, element, one.name, event.target.value))}>
                  {eventTypes(vocabulary).map((type) => <option key={type}>{type}</option>)}
                </select>
              ) : <input className="input mono" value={one.value} onChange={(event) => edit(setAttribute(text, element, one.name, event.target.value))} />}
              {one.name !== 'event_type' && <button type="button" className="button button-quiet button-icon button-small" aria-label={t('action.remove', { what: one.name })} onClick={() => edit(setAttribute(text, element, one.name, null))}><Icon name="close" size={14} /></button>}
            </div>
          </label>
        ))}
        <label className="field"><span>{t('tests.addColumn')}</span>
          <select className="input" value="" onChange={(event) => { if (event.target.value) add(event.target.value); }}>
            <option value="">{t('tests.choose')}</option>
            {free.map((column) => <option key={column}>{column}</option>)}
          </select>
        </label>
      </div>
    </div>
  );
}
