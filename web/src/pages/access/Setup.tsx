// The first run: whoever holds the token that the service printed makes the first account, an administrator's.
// The token stands behind the # of the address, so it never reaches a log.
import { type FormEvent, useState } from 'react';
import '../../text/service';
import { setUp } from '../../client/access';
import { ErrorNote } from '../../components/Notice';
import { refreshMe } from '../../state/account';
import { goTo } from '../../state/location';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { NewPasswordField } from './PasswordField';

export default function Setup() {
  const work = useWork();
  const [token, setToken] = useState(() => window.location.hash.slice(1));
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const account = await work.run(() => setUp({ token, email, name, password }));
    if (!account) return;
    await refreshMe();
    goTo('/', { replace: true });
  };
  return (
    <section className="panel">
      <form className="panel-body stack" onSubmit={(event) => void submit(event)}>
        <h1>{t('setup.title')}</h1>
        <p className="muted">{t('setup.text')}</p>
        <label className="field"><span>{t('setup.token')}</span>
          <input className="input mono" required value={token} onChange={(event) => setToken(event.target.value.trim())} />
        </label>
        <label className="field"><span>{t('account.name')}</span>
          <input className="input" autoComplete="name" required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="field"><span>{t('signIn.email')}</span>
          <input className="input" type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
        </label>
        <NewPasswordField label={t('signIn.password')} value={password} onChange={setPassword} />
        {work.error && <ErrorNote error={work.error} />}
        <button type="submit" className="button button-primary" disabled={work.busy}>{t('setup.do')}</button>
      </form>
    </section>
  );
}
