// Sets a password by a link that somebody was given: a new account, or one whose password was lost.
import { type FormEvent, useState } from 'react';
import '../../text/service';
import { accessPath, setPasswordByLink } from '../../client/access';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { readRoute } from '../../routes';
import { refreshMe } from '../../state/account';
import { useAnswer } from '../../state/answers';
import { goTo, usePlace } from '../../state/location';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { NewPasswordField } from './PasswordField';

export default function SetPassword() {
  const token = readRoute(usePlace().path).part ?? '';
  const { answer, error } = useAnswer(accessPath.passwordLink(token));
  const work = useWork();
  const [password, setPassword] = useState('');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const account = await work.run(() => setPasswordByLink(token, password));
    if (!account) return;
    await refreshMe();
    goTo('/', { replace: true });
  };
  if (error?.code === 'not_found') return <section className="panel"><Empty icon="key" title={t('password.linkGone')}>{t('password.linkGone.text')}</Empty></section>;
  if (error) return <ErrorNote error={error} />;
  if (!answer) return <Waiting height={240} />;
  return (
    <section className="panel">
      <form className="panel-body stack" onSubmit={(event) => void submit(event)}>
        <h1>{t('password.title')}</h1>
        <p>{t('password.for', { name: answer.name, email: answer.email })}</p>
        <input type="hidden" autoComplete="username" value={answer.email} />
        <NewPasswordField label={t('password.new')} value={password} onChange={setPassword} />
        {work.error && <ErrorNote error={work.error} />}
        <button type="submit" className="button button-primary" disabled={work.busy}>{t('password.do')}</button>
      </form>
    </section>
  );
}
