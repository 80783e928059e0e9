// Which events a rule is about: everything, or families and single types, and what is taken away again.
import { t } from '../../../text';
import { insert, markup, setAttribute, setWords } from '../../../xml/edit';
import { attributeOf, elementsOf, firstElement, wordsOf, type XmlElement } from '../../../xml/tree';
import { Chips } from '../../../components/Chips';
import { useDraft } from '../draft';
import { eventTypes } from '../model';

export function Events({ rule }: { rule: XmlElement }) {
  const { text, vocabulary, edit } = useDraft();
  const on = firstElement(rule, 'on');
  const events = attributeOf(on, 'events') === null ? ['all'] : wordsOf(on, 'events');
  const families = vocabulary.families.map((one) => one.name);
  const names = [...families, ...eventTypes(vocabulary)];
  const all = events.includes('all');
  const set = (name: 'events' | 'except', words: string[]) => {
    if (on) edit(name === 'events' ? setAttribute(text, on, name, words.join(' ') || 'all') : setWords(text, on, name, words));
    else edit(insert(text, rule, markup('on', { [name]: words.join(' ') }), elementsOf(rule)[0] ?? null));
  };
  const only = (typed: string) => { const word = typed.trim(); return names.includes(word) ? word : ''; };
  return (
    <div className="stack-tight" role="group" aria-label={t('events.title')}>
      <h3>{t('events.title')}</h3>
      <label className="check"><input type="checkbox" checked={all} onChange={(event) => set('events', event.target.checked ? ['all'] : [families[0] ?? 'pointer'])} />{t('events.all')}</label>
      <div className="two-fields">
        {!all && <Chips label={t('events.only')} values={events} suggestions={names} clean={only} onChange={(words) => set('events', words)} />}
        <Chips label={t('events.except')} values={wordsOf(on, 'except')} suggestions={names} clean={only} onChange={(words) => set('except', words)} />
      </div>
    </div>
  );
}
