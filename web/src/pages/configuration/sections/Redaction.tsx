// What is hidden after the rules: built-in patterns and own ones, with a field to try them on. The client applies the real engine;
// the field uses the browser's, which knows almost the same notation.
import { useState } from 'react';
import { t } from '../../../text';
import { markup, setWords } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, wordsOf, type XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { addTo, describedBy, freeName, namesOf, tryRegex } from '../model';
import { AddButton, ElementFields, Item } from './Fields';

const MASK = '****';
/** As the client does when nothing is said. */
const USUAL = 'email iban card';

export function Redaction({ root }: { root: XmlElement }) {
  const { text, edit } = useDraft();
  const redaction = firstElement(root, 'redaction');
  const patterns = elementsOf(redaction, 'pattern');
  const [sample, setSample] = useState(() => t('redaction.sample'));
  const add = () => edit(addTo(text, root, 'redaction', markup('pattern', { name: freeName(namesOf(patterns), t('redaction.new')), regex: 'INV-\\d{6,}' })));
  return (
    <>
      <Builtin root={root} builtin={elementsOf(redaction, 'builtin')[0] ?? null} />
      <div className="stack-tight">
        <h3>{t('redaction.own')}</h3>
        <label className="field"><span>{t('redaction.try')}</span><input className="input" value={sample} onChange={(event) => setSample(event.target.value)} /></label>
        {patterns.length === 0 && <p className="note">{t('redaction.none')}</p>}
        {patterns.map((one, index) => (
          <Item key={index} element={one} title={attributeOf(one, 'name') ?? ''}>
            <Tried pattern={one} sample={sample} />
            <ElementFields element={one} />
          </Item>
        ))}
        <AddButton label={t('redaction.add')} onAdd={add} />
      </div>
    </>
  );
}

function Builtin({ root, builtin }: { root: XmlElement; builtin: XmlElement | null }) {
  const { text, vocabulary, edit } = useDraft();
  const known = describedBy(vocabulary, 'builtin')?.attributes.find((one) => one.name === 'patterns')?.words ?? [];
  const chosen = builtin && attributeOf(builtin, 'patterns') !== null ? wordsOf(builtin, 'patterns') : USUAL.split(' ');
  const toggle = (pattern: string, on: boolean) => {
    const words = known.filter((one) => (one === pattern ? on : chosen.includes(one)));
    if (builtin) edit(setWords(text, builtin, 'patterns', words));
    else edit(addTo(text, root, 'redaction', markup('builtin', { patterns: words.join(' ') }), elementsOf(firstElement(root, 'redaction'), 'pattern')[0] ?? null));
  };
  return (
    <div className="stack-tight" role="group" aria-label={t('redaction.builtin')}>
      <h3>{t('redaction.builtin')}</h3>
      <div className="row row-wrap" style={{ gap: 16 }}>
        {known.map((pattern) => (
          <label key={pattern} className="check">
            {/* At least one stays: an empty list would mean the usual ones again. */}
            <input type="checkbox" checked={chosen.includes(pattern)} disabled={chosen.length === 1 && chosen[0] === pattern} onChange={(event) => toggle(pattern, event.target.checked)} /><span className="mono">{pattern}</span>
          </label>
        ))}
      </div>
    </div>
  );
}

function Tried({ pattern, sample }: { pattern: XmlElement; sample: string }) {
  const source = (attributeOf(pattern, 'regex') ?? '').replaceAll(/\{(username|displayname|machine|domain|custom\d)\}/g, 'muster');
  const regex = tryRegex(source);
  const keep = attributeOf(pattern, 'mode') === 'keepMatch';
  const result = regex && (keep ? (sample.match(regex) ?? []).join(' ') : sample.replace(regex, MASK));
  return <p className="tried"><span className="muted small">{t('redaction.becomes')}</span> <code>{regex === null ? t('redaction.untried') : result || t('redaction.nothing')}</code></p>;
}
