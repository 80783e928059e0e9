// The documents that go with a study, filled from what is really configured: to read here and to download.
import { useEffect, useState } from 'react';
import type { Address, ServiceError } from '../../client';
import { getText } from '../../client/http';
import { type DocumentName, DOCUMENTS, privacyPath } from '../../client/privacy';
import { Icon } from '../../components/Icon';
import { PartFailure, Waiting } from '../../components/Notice';
import { Segmented } from '../../components/Segmented';
import { asServiceError } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { t } from '../../text';

export function Documents() {
  const project = useProject();
  const { query } = usePlace();
  const name = DOCUMENTS.find((one) => one === query.get('document')) ?? DOCUMENTS[0];
  const { text, error } = useText(privacyPath.document(project.slug, name));
  return (
    <section className="panel" aria-label={t('privacy.documents')}>
      <div className="panel-head">
        <h2>{t('privacy.documents')}</h2>
        <a className="button" href={privacyPath.document(project.slug, name)} download><Icon name="download" size={16} />{t('documents.md')}</a>
      </div>
      <div className="panel-body stack">
        <p className="muted">{t('documents.text')}</p>
        <div className="scroll-x"><Segmented<DocumentName> label={t('documents.which')} value={name} onChange={(document) => changeQuery({ document })} choices={DOCUMENTS.map((one) => ({ value: one, text: t(`documents.${one}`) }))} /></div>
        {error ? <PartFailure error={error} /> : text === null ? <Waiting height={320} /> : <pre className="document" tabIndex={0} role="group" aria-label={t(`documents.${name}`)}>{text}</pre>}
      </div>
    </section>
  );
}

function useText(address: Address<void>): { text: string | null; error: ServiceError | null } {
  const [said, setSaid] = useState<{ address: string; text: string | null; error: ServiceError | null } | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    getText(address, abort.signal).then((text) => setSaid({ address, text, error: null }), (cause) => { if (!abort.signal.aborted) setSaid({ address, text: null, error: asServiceError(cause) }); });
    return () => abort.abort();
  }, [address]);
  return said?.address === address ? said : { text: null, error: null };
}
