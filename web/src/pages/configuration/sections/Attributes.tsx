// Questions that every user answers once, such as the team: each answer stands in a column custom1 to custom5.
import { t } from '../../../text';
import { insert, markup, setText } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, textOf, type XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { addTo } from '../model';
import { AddButton, ElementFields, Item } from './Fields';

const COLUMNS = ['custom1', 'custom2', 'custom3', 'custom4', 'custom5'];

export function Attributes({ root }: { root: XmlElement }) {
  const { text, edit } = useDraft();
  const attributes = elementsOf(firstElement(root, 'userAttributes'), 'attribute');
  const free = COLUMNS.find((column) => !attributes.some((one) => attributeOf(one, 'column') === column));
  return (
    <div className="stack-tight">
      {attributes.length === 0 && <p className="note">{t('attributes.none')}</p>}
      {attributes.map((one, index) => (
        <Item key={index} element={one} title={labelOf(one) || (attributeOf(one, 'column') ?? '')}>
          {elementsOf(one, 'label').map((label, place) => (
            <label key={place} className="field"><span>{t('attributes.label', { lang: attributeOf(label, 'lang') ?? '' })}</span>
              <input className="input" value={textOf(label)} onChange={(event) => edit(setText(text, label, event.target.value))} />
            </label>
          ))}
          <ElementFields element={one} />
          <AddButton label={t('attributes.addLabel')} onAdd={() => edit(insert(text, one, markup('label', { lang: 'en' }, t('attributes.new'))))} />
        </Item>
      ))}
      {free && <AddButton label={t('attributes.add')} onAdd={() => edit(addTo(text, root, 'userAttributes', markup('attribute', { column: free }, markup('label', { lang: 'en' }, t('attributes.new')))))} />}
    </div>
  );
}

const labelOf = (attribute: XmlElement): string => elementsOf(attribute, 'label').map(textOf)[0] ?? '';
