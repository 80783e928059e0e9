// When recording is allowed, how people pause, and the day on which it all ends by itself.
import { t } from '../../../text';
import { markup, setAttribute } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, type XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { addTo } from '../model';
import { AddButton, ElementFields, Item, SectionFields } from './Fields';

export function Schedule({ root }: { root: XmlElement }) {
  const { text, edit } = useDraft();
  const end = attributeOf(root, 'validUntil') ?? '';
  const windows = elementsOf(root, 'schedule').flatMap((schedule) => elementsOf(schedule, 'window'));
  return (
    <>
      <label className="field schedule-end"><span>{t('schedule.end')}</span>
        <input className="input" type="date" value={end.slice(0, 10)} onChange={(event) => { if (event.target.value) edit(setAttribute(text, root, 'validUntil', `${event.target.value}T23:59:59Z`)); }} />
        <small className="muted">{t('schedule.end.note')}</small>
      </label>
      <div className="stack-tight">
        <h3>{t('schedule.windows')}</h3>
        {windows.length === 0 && <p className="note">{t('schedule.none')}</p>}
        {windows.map((one, index) => (
          <Item key={index} element={one} title={t('schedule.window', { days: attributeOf(one, 'days') ?? 'mon-fri', from: attributeOf(one, 'from') ?? '08:00', to: attributeOf(one, 'to') ?? '18:00' })}><ElementFields element={one} /></Item>
        ))}
        <AddButton label={t('schedule.add')} onAdd={() => edit(addTo(text, root, 'schedule', markup('window', { days: 'mon-fri', from: '08:00', to: '18:00' })))} />
        {firstElement(root, 'schedule') && <SectionFields root={root} name="schedule" />}
      </div>
      <div className="stack-tight"><h3>{t('schedule.pause')}</h3><SectionFields root={root} name="pause" /></div>
    </>
  );
}
