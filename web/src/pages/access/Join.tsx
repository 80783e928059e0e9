// What an invited person sees, without an account and in plain words: what is recorded, what is not, how to pause and stop, how to install.
import '../../text/service';
import { peoplePath } from '../../client/people';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { readRoute } from '../../routes';
import { useAnswer } from '../../state/answers';
import { usePlace } from '../../state/location';
import { t } from '../../text';
import { InstallLines } from '../people/InstallLines';

const CAN = ['pause', 'see', 'delete', 'stop'] as const;

export default function Join() {
  const token = readRoute(usePlace().path).part ?? '';
  const { answer, error, again } = useAnswer(peoplePath.join(token));
  if (error?.code === 'not_found') return <section className="panel"><Empty icon="key" title={t('join.gone')}>{t('join.gone.text')}</Empty></section>;
  if (error) return <ErrorNote error={error} again={again} />;
  if (!answer) return <Waiting height={420} />;
  if (answer.state === 'expired' || answer.state === 'revoked') return <section className="panel"><Empty icon="key" title={t('join.gone')}>{t('join.gone.text')}</Empty></section>;
  return (
    <>
      <h1>{t('join.title', { project: answer.project })}</h1>
      <section className="panel" aria-label={t('join.why')}>
        <div className="panel-body stack">
          <h2>{t('join.why')}</h2>
          <ul className="plain">{answer.purposes.map((one) => <li key={one}>{one}</li>)}</ul>
          <h2>{t('join.what')}</h2>
          {answer.what.map((line) => <p key={line}>{line}</p>)}
          {answer.consent.map((one) => <blockquote key={one.lang} lang={one.lang}>{one.text}</blockquote>)}
        </div>
      </section>
      <section className="panel" aria-label={t('join.yours')}>
        <div className="panel-body stack">
          <h2>{t('join.yours')}</h2>
          <ul className="stack-tight">{CAN.map((one) => <li key={one} className="row" style={{ alignItems: 'flex-start' }}><Icon name="check" /><span>{t(`join.${one}`)}</span></li>)}</ul>
        </div>
      </section>
      <section className="panel" aria-label={t('join.install')}>
        <div className="panel-body stack">
          <h2>{t('join.install')}</h2>
          {answer.state === 'invited' ? <><p>{t('join.install.text')}</p><InstallLines install={answer.install} /></> : <p className="note note-good"><Icon name="check" />{t('join.already')}</p>}
        </div>
      </section>
    </>
  );
}
