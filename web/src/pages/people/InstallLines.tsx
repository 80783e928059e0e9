// The lines that install a client, one system at a time, ready to copy. The key is already in them.
import { useState } from 'react';
import { CopyBox } from '../../components/Copy';
import { Segmented } from '../../components/Segmented';
import type { InstallLines as Lines } from '../../client';
import { t } from '../../text';

export function InstallLines({ install }: { install: Lines[] }) {
  const [system, setSystem] = useState<Lines['system']>(() => (navigator.userAgent.includes('Windows') ? 'windows' : install[0]?.system ?? 'linux'));
  const chosen = install.find((one) => one.system === system) ?? install[0];
  if (!chosen) return null;
  return (
    <div className="stack-tight">
      <div className="scroll-x">
        <Segmented label={t('install.system')} value={chosen.system} choices={install.map((one) => ({ value: one.system, text: t(`install.${one.system}`) }))} onChange={setSystem} />
      </div>
      <CopyBox title={chosen.title} text={chosen.lines} />
    </div>
  );
}
