// What people agree to before anything is recorded: the texts per language, and the version that asks everybody again.
import { Icon } from '../../../components/Icon';
import { t } from '../../../text';
import { insert, insertInOrder, markup, setAttribute, setText } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, textOf, type XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { ORDER } from '../model';
import { AddButton, Item, SectionFields } from './Fields';

const KINDS = ['text', 'pictures', 'typed'] as const;
const TEXT_CHARS_MAX = 8_000;

export function Consent({ root }: { root: XmlElement }) {
  const { text, check, edit } = useDraft();
  const consent = firstElement(root, 'consent');
  const version = Number(attributeOf(consent, 'version') ?? 0);
  const texts = KINDS.flatMap((kind) => elementsOf(consent, kind));
  const add = (kind: string) => {
    const inside = markup(kind, { lang: 'en' }, t('consent.new'));
    if (consent) edit(insert(text, consent, inside, elementsOf(consent).find((one) => KINDS.indexOf(one.name as 'text') > KINDS.indexOf(kind as 'text')) ?? null));
    else edit(insertInOrder(text, root, ORDER, 'consent', `<consent version="1">\n  ${inside}\n</consent>`));
  };
  return (
    <>
      {check?.consent_must_rise && consent && (
        <div className="note note-warm" role="note">
          <Icon name="warning" />
          <span className="grow">{t('consent.mustRise')}</span>
          <button type="button" className="button button-small" onClick={() => edit(setAttribute(text, consent, 'version', String(version + 1)))}>{t('consent.raise', { version: version + 1 })}</button>
        </div>
      )}
      <SectionFields root={root} name="consent" />
      {texts.map((one, index) => {
        const lang = attributeOf(one, 'lang') ?? '';
        return (
          <Item key={index} element={one} title={t(`consent.${one.name as 'text'}`, { lang })}>
            <label className="field consent-lang"><span>{t('consent.lang')}</span><input className="input mono" value={lang} onChange={(event) => edit(setAttribute(text, one, 'lang', event.target.value))} /></label>
            <label className="field"><span>{t('consent.words')}</span>
              <textarea className="input" rows={4} maxLength={TEXT_CHARS_MAX} value={textOf(one)} onChange={(event) => edit(setText(text, one, event.target.value))} />
            </label>
          </Item>
        );
      })}
      <div className="row row-wrap">{KINDS.map((kind) => <AddButton key={kind} label={t(`consent.add.${kind}`)} onAdd={() => add(kind)} />)}</div>
    </>
  );
}
