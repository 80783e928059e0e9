// The gate: which programs and sites exist for the client, and what is never recorded whatever is allowed.
import { Chips } from '../../../components/Chips';
import { t } from '../../../text';
import { insert, markup, remove, setAttribute, setWords } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, wordsOf, type XmlElement } from '../../../xml/tree';
import { cleanSite, COMMON_APPS } from '../../new/wish';
import { useDraft } from '../draft';
import { addTo, describedBy } from '../model';
import { AddButton, AttributeField, Item } from './Fields';

export function Applications({ root }: { root: XmlElement }) {
  const { text, edit } = useDraft();
  const allow = firstElement(root, 'allow');
  const apps = elementsOf(allow, 'app');
  const never = elementsOf(allow, 'never');
  return (
    <>
      <div className="stack-tight">
        {apps.length === 0 && <p className="note">{t('apps.none')}</p>}
        {apps.map((app, index) => <App key={index} app={app} />)}
        {/* A new program stands before the never list, where a reader looks for it. */}
        <AddButton label={t('apps.add')} onAdd={() => edit(addTo(text, root, 'allow', markup('app', { process: COMMON_APPS[0] }), never[0] ?? null))} />
      </div>
      <div className="stack-tight">
        <h3>{t('never.title')}</h3>
        <p className="muted">{t('never.text')}</p>
        {never.map((one, index) => <Never key={index} never={one} />)}
        <AddButton label={t('never.add')} onAdd={() => edit(addTo(text, root, 'allow', markup('never', { column: 'window_title', glob: '*private*' })))} />
      </div>
    </>
  );
}

function App({ app }: { app: XmlElement }) {
  const { text, edit } = useDraft();
  const processes = wordsOf(app, 'process');
  const sites = elementsOf(app, 'site');
  const title = processes.join(', ') || attributeOf(app, 'appId') || t('apps.unnamed');
  const setSites = (hosts: string[]) => {
    const gone = sites.find((site) => !hosts.includes(attributeOf(site, 'host') ?? ''));
    const come = hosts.filter((host) => !sites.some((site) => attributeOf(site, 'host') === host));
    if (gone) edit(remove(text, gone));
    else if (come.length > 0) edit(insert(text, app, come.map((host) => markup('site', { host })).join('\n')));
  };
  return (
    <Item element={app} title={title}>
      <Chips label={t('apps.process')} values={processes} suggestions={COMMON_APPS} clean={(typed) => typed.trim().toLowerCase()} onChange={(words) => edit(setWords(text, app, 'process', words))} />
      <Chips label={t('apps.sites')} note={sites.length > 0 ? t('apps.sites.note') : t('apps.sites.none')} values={sites.map((site) => attributeOf(site, 'host') ?? '')} clean={cleanSite} onChange={setSites} />
      {sites.length > 0 && (
        <details className="small">
          <summary>{t('apps.paths')}</summary>
          <div className="stack-tight">
            {sites.map((site, index) => (
              <label key={index} className="field"><span className="mono">{attributeOf(site, 'host')}</span>
                <input className="input mono" placeholder="/**" value={attributeOf(site, 'path') ?? ''} onChange={(event) => edit(setAttribute(text, site, 'path', event.target.value || null))} />
              </label>
            ))}
          </div>
        </details>
      )}
    </Item>
  );
}

function Never({ never }: { never: XmlElement }) {
  const { text, vocabulary, edit } = useDraft();
  const attributes = describedBy(vocabulary, 'never')?.attributes ?? [];
  const how = attributeOf(never, 'regex') !== null ? 'regex' : 'glob';
  const change = (next: string) => {
    const attribute = never.attributes.find((one) => one.name === how);
    // The pattern stays; only the name of its attribute changes.
    if (attribute && next !== how) edit([{ from: attribute.from, to: attribute.from + how.length, insert: next }]);
  };
  return (
    <Item
      element={never} title={t('never.item', { column: attributeOf(never, 'column') ?? '', pattern: attributeOf(never, how) ?? '' })}
      actions={<select className="input item-select" aria-label={t('never.how')} value={how} onChange={(event) => change(event.target.value)}><option value="glob">{t('never.glob')}</option><option value="regex">{t('never.regex')}</option></select>}
    >
      <div className="attributes">
        {attributes.filter((one) => one.name === 'column' || one.name === how).map((one) => <AttributeField key={one.name} attribute={one} element={never} onChange={(value) => edit(setAttribute(text, never, one.name, value))} />)}
      </div>
    </Item>
  );
}
