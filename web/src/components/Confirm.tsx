// Asks once more before something that cannot be taken back, and shows why it failed if it does.
import type { ReactNode } from 'react';
import { useWork } from '../state/work';
import { t } from '../text';
import { Dialog } from './Dialog';
import { ErrorNote } from './Notice';

interface ConfirmProps {
  title: string;
  action: string;
  onClose: () => void;
  /** The work itself; the dialog closes when it is done. */
  onConfirm: () => Promise<unknown>;
  children: ReactNode;
}

export function Confirm({ title, action, onClose, onConfirm, children }: ConfirmProps) {
  const work = useWork();
  const go = async () => {
    if (await work.run(async () => { await onConfirm(); return true; })) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="stack-tight">{children}</div>
      {work.error && <ErrorNote error={work.error} />}
      <div className="dialog-foot">
        <button type="button" className="button" onClick={onClose}>{t('action.cancel')}</button>
        <button type="button" className="button button-bad" disabled={work.busy} onClick={() => void go()}>{action}</button>
      </div>
    </Dialog>
  );
}
