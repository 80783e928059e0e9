// Sections that are nothing but attributes: screenshots, capture, storage, upload, the browser extension.
import type { XmlElement } from '../../../xml/tree';
import { useDraft } from '../draft';
import { describedBy } from '../model';
import { SectionFields } from './Fields';

export function Settings({ root, names }: { root: XmlElement; names: string[] }) {
  const { vocabulary } = useDraft();
  return (
    <>
      {names.map((name) => (
        <div key={name} className="stack-tight">
          {names.length > 1 && <h3>{describedBy(vocabulary, name)?.meaning}</h3>}
          <SectionFields root={root} name={name} />
        </div>
      ))}
    </>
  );
}
