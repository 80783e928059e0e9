// Text to take along: shown as it is, with a button that copies it and says so.
import { useState } from 'react';
import { t } from '../text';
import { Icon } from './Icon';

const SAID_MS = 2_000;

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const copy = async () => {
    // Without a secure connection browsers lend no clipboard; the text can be marked by hand then.
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false) ?? false;
    setCopied(done);
    setTimeout(() => setCopied(null), SAID_MS);
  };
  return (
    <button type="button" className="button button-small" aria-label={label} onClick={() => void copy()}>
      <Icon name={copied ? 'check' : 'copy'} size={16} />
      <span role="status">{copied === null ? t('action.copy') : copied ? t('action.copied') : t('action.copyByHand')}</span>
    </button>
  );
}

/** A secret or a command, in one box. `title` says what it is. */
export function CopyBox({ title, text }: { title: string; text: string }) {
  return (
    <div className="copy-box">
      <div className="row"><span className="label grow">{title}</span><CopyButton text={text} label={t('action.copyWhat', { what: title })} /></div>
      <pre tabIndex={0} role="group" aria-label={title}>{text}</pre>
    </div>
  );
}
