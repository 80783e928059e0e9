// Settings of the whole service: its public address, outgoing mail, the company's login, a webhook. Secrets go in and never come out.
import { type FormEvent, useEffect, useState } from 'react';
import type { Oidc, ServiceSettings as Settings, Smtp } from '../../client';
import { saveSettings, servicePath } from '../../client/service';
import { Icon } from '../../components/Icon';
import { ErrorNote, Waiting } from '../../components/Notice';
import { useAnswer } from '../../state/answers';
import { useWork } from '../../state/work';
import { t } from '../../text';

const NO_MAIL: Smtp = { host: '', port: 587, user: '', from: '', password_set: false };
const NO_LOGIN: Oidc = { issuer: '', client_id: '', name: '', secret_set: false };

export function ServiceSettings() {
  const { answer, error, again } = useAnswer(servicePath.settings());
  if (error) return <ErrorNote error={error} again={again} />;
  return answer ? <Form settings={answer} onSaved={again} /> : <Waiting height={420} />;
}

function Form({ settings, onSaved }: { settings: Settings; onSaved: () => void }) {
  const work = useWork();
  const [publicUrl, setPublicUrl] = useState(settings.public_url ?? '');
  const [webhook, setWebhook] = useState(settings.webhook_url ?? '');
  const [smtp, setSmtp] = useState(settings.smtp ?? NO_MAIL);
  const [oidc, setOidc] = useState(settings.oidc ?? NO_LOGIN);
  const [mailPassword, setMailPassword] = useState('');
  const [oidcSecret, setOidcSecret] = useState('');
  const [saved, setSaved] = useState(false);
  useEffect(() => setSaved(false), [publicUrl, webhook, smtp, oidc, mailPassword, oidcSecret]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { password_set: _set, ...mail } = smtp;
    const { secret_set: _secret, ...login } = oidc;
    const done = await work.run(() => saveSettings({
      public_url: publicUrl || null, webhook_url: webhook || null,
      smtp: mail.host ? { ...mail, ...(mailPassword ? { password: mailPassword } : {}) } : null,
      oidc: login.issuer ? { ...login, ...(oidcSecret ? { secret: oidcSecret } : {}) } : null,
    }));
    if (!done) return;
    onSaved();
    setSaved(true);
  };
  return (
    <form className="panel settings" aria-label={t('service.settings')} onSubmit={(event) => void submit(event)}>
      <div className="panel-head"><h2>{t('service.settings')}</h2></div>
      <div className="panel-body stack">
        <Text label={t('settings.publicUrl')} note={t('settings.publicUrl.note')} type="url" value={publicUrl} onChange={setPublicUrl} />
        <Text label={t('settings.webhook')} note={t('settings.webhook.note')} type="url" value={webhook} onChange={setWebhook} />
        <fieldset className="group"><legend>{t('settings.mail')}</legend>
          <div className="two-fields">
            <Text label={t('settings.host')} value={smtp.host} onChange={(host) => setSmtp({ ...smtp, host })} />
            <Text label={t('settings.port')} type="number" value={String(smtp.port)} onChange={(port) => setSmtp({ ...smtp, port: Number(port) })} />
            <Text label={t('settings.from')} type="email" value={smtp.from} onChange={(from) => setSmtp({ ...smtp, from })} />
            <Text label={t('settings.user')} value={smtp.user ?? ''} onChange={(user) => setSmtp({ ...smtp, user })} />
            <Text label={t('signIn.password')} type="password" note={smtp.password_set ? t('settings.isSet') : undefined} value={mailPassword} onChange={setMailPassword} />
          </div>
        </fieldset>
        <fieldset className="group"><legend>{t('signIn.company')}</legend>
          <div className="two-fields">
            <Text label={t('settings.loginName')} value={oidc.name} onChange={(name) => setOidc({ ...oidc, name })} />
            <Text label={t('settings.issuer')} type="url" value={oidc.issuer} onChange={(issuer) => setOidc({ ...oidc, issuer })} />
            <Text label={t('settings.clientId')} value={oidc.client_id} onChange={(client_id) => setOidc({ ...oidc, client_id })} />
            <Text label={t('settings.secret')} type="password" note={oidc.secret_set ? t('settings.isSet') : undefined} value={oidcSecret} onChange={setOidcSecret} />
          </div>
        </fieldset>
        {work.error && <ErrorNote error={work.error} />}
        {saved && <p role="status" className="note note-good"><Icon name="check" />{t('settings.saved')}</p>}
        <div className="dialog-foot"><button type="submit" className="button button-primary" disabled={work.busy}>{t('action.save')}</button></div>
      </div>
    </form>
  );
}

function Text({ label, note, type = 'text', value, onChange }: { label: string; note?: string; type?: string; value: string; onChange: (value: string) => void }) {
  return (
    <label className="field"><span>{label}</span>
      <input className="input" type={type} autoComplete={type === 'password' ? 'new-password' : 'off'} value={value} onChange={(event) => onChange(event.target.value)} />
      {note && <small className="muted">{note}</small>}
    </label>
  );
}
