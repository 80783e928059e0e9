// Signing in: address and password, then a code where the account has one, or the company's own login.
import { type FormEvent, useState } from 'react';
import '../../text/service';
import type { Me } from '../../client';
import { accessPath, logIn } from '../../client/access';
import { ErrorNote } from '../../components/Notice';
import { refreshMe } from '../../state/account';
import { useWork } from '../../state/work';
import { t } from '../../text';

export default function SignIn({ me }: { me: Me }) {
  return me.setup_needed ? <NotSetUp /> : <SignInForm me={me} />;
}

function SignInForm({ me }: { me: Me }) {
  const work = useWork();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  // Stays once asked for, so that a wrong code can be typed again.
  const [codeAsked, setCodeAsked] = useState(false);
  const secondFactor = work.error?.code === 'second_factor';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const account = await work.run(() => logIn(email, password, code || undefined));
    if (account) await refreshMe();
  };
  if (secondFactor && !codeAsked) setCodeAsked(true);
  return (
    <section className="panel">
      <form className="panel-body stack" onSubmit={(event) => void submit(event)}>
        <h1>{t('signIn.title')}</h1>
        <label className="field"><span>{t('signIn.email')}</span>
          <input className="input" type="email" autoComplete="username" required autoFocus value={email} onChange={(event) => setEmail(event.target.value)} />
        </label>
        <label className="field"><span>{t('signIn.password')}</span>
          <input className="input" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        {codeAsked && (
          <label className="field"><span>{t('signIn.code')}</span>
            <input className="input mono" inputMode="numeric" autoComplete="one-time-code" required autoFocus value={code} onChange={(event) => setCode(event.target.value.trim())} />
            <small className="muted">{t('signIn.code.note')}</small>
          </label>
        )}
        {/* The first "a code is needed" is no mistake of the person's, so it is not shown as one. */}
        {work.error && !(secondFactor && code === '') && <ErrorNote error={work.error} />}
        <button type="submit" className="button button-primary" disabled={work.busy}>{t('signIn.do')}</button>
        {me.oidc && <a className="button" href={accessPath.companyLogin()}>{me.oidc.name || t('signIn.company')}</a>}
        <p className="small muted">{t('signIn.lost')}</p>
      </form>
    </section>
  );
}

function NotSetUp() {
  return (
    <section className="panel">
      <div className="panel-body stack">
        <h1>{t('setup.title')}</h1>
        <p>{t('setup.findLink')}</p>
      </div>
    </section>
  );
}
