// One picture large, with zoom, its masks, and what people may do about it: report it, and, for a lead, show it again, paint over or erase.
import { useEffect, useRef, useState } from 'react';
import type { Picture } from '../../client';
import type { PictureEvent } from '../../client/analyses';
import { coverPicture, erasePicture, releasePicture, reportPicture } from '../../client/pictures';
import { Confirm } from '../../components/Confirm';
import { Icon } from '../../components/Icon';
import { ErrorNote, Waiting } from '../../components/Notice';
import { areaOf, between, moved, type Shares } from '../../components/picture/places';
import { boxStyle, Stage, type StageProps } from '../../components/picture/Stage';
import { usePicture } from '../../components/picture/usePicture';
import { formatTime } from '../../format';
import { may } from '../../state/permissions';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

const ZOOMS = [1, 1.5, 2, 3, 4];
/** Where the rectangle stands before anybody has moved it. */
const FIRST: Shares = { left: 0.4, top: 0.4, width: 0.2, height: 0.2 };
/** A press without a move draws nothing. */
const LEAST = 0.002;
/** One press of an arrow key, of the picture's side. */
const STEP = 0.01;

export function Viewer({ event }: { event: PictureEvent }) {
  const project = useProject();
  const { picture, error, again } = usePicture(event.screenshot_id);
  const [zoom, setZoom] = useState(1);
  const [marks, setMarks] = useState(true);
  const [cover, setCover] = useState<Shares | null>(null);
  const [asking, setAsking] = useState<'cover' | 'erase' | null>(null);
  const [version, setVersion] = useState(0);
  const work = useWork();
  const draw = useDrawing(setCover);
  useEffect(() => { setCover(null); setAsking(null); }, [event.screenshot_id]);
  const changed = () => { setVersion((count) => count + 1); setCover(null); again(); };
  const act = async (what: () => Promise<void>) => { if (await work.run(async () => { await what(); return true; })) changed(); };
  const isLead = may('lead', project);
  const id = event.screenshot_id;
  if (error) {
    return <div className="panel-body">{error.code === 'not_found' ? <p className="muted screenshots-gone"><Icon name="info" /> {t('picture.gone')}</p> : <ErrorNote error={error} again={again} />}</div>;
  }
  if (!picture) return <div className="panel-body"><Waiting height={420} /></div>;
  const at = ZOOMS.indexOf(zoom);
  return (
    <div className="panel-body stack">
      {picture.hidden && (
        <div className="note screenshots-hidden" role="status">
          <Icon name="warning" /> <span className="grow">{isLead ? t('picture.hidden.lead') : t('picture.hidden')}</span>
          {isLead && <button type="button" className="button button-small" onClick={() => void act(() => releasePicture(project.slug, id))}>{t('picture.release')}</button>}
        </div>
      )}
      {(!picture.hidden || isLead) && (
        <Stage event={event} picture={picture} zoom={zoom} marks={marks} version={version} onPress={cover ? draw : undefined}>
          {cover && <CoverBox shares={cover} onChange={setCover} onDone={() => setAsking('cover')} onCancel={() => setCover(null)} />}
        </Stage>
      )}
      {work.error && <ErrorNote error={work.error} />}
      <div className="row row-wrap">
        <span className="row" style={{ gap: 4 }}>
          <button type="button" className="button button-icon button-small" aria-label={t('map.zoomIn')} disabled={at === ZOOMS.length - 1} onClick={() => setZoom(ZOOMS[at + 1]!)}><Icon name="plus" size={16} /></button>
          <button type="button" className="button button-icon button-small" aria-label={t('map.zoomOut')} disabled={at === 0} onClick={() => setZoom(ZOOMS[at - 1]!)}><Icon name="minus" size={16} /></button>
          <button type="button" className="button button-icon button-small" aria-label={t('map.fit')} disabled={zoom === 1} onClick={() => setZoom(1)}><Icon name="fit" size={16} /></button>
        </span>
        <label className="row small" style={{ gap: 6 }}><input type="checkbox" checked={marks} onChange={(change) => setMarks(change.target.checked)} />{t('picture.marks')}</label>
        <span className="row row-wrap screenshots-acts">
          {cover ? (
            <>
              <span className="small muted">{t('picture.cover.keys')}</span>
              <button type="button" className="button button-small" onClick={() => setCover(null)}>{t('action.cancel')}</button>
              <button type="button" className="button button-small button-bad" onClick={() => setAsking('cover')}>{t('picture.cover.do')}</button>
            </>
          ) : (
            <>
              {!picture.hidden && <button type="button" className="button button-small" disabled={work.busy} onClick={() => void act(() => reportPicture(project.slug, id))}><Icon name="shield" size={16} />{t('picture.report')}</button>}
              {isLead && <button type="button" className="button button-small" onClick={() => { setZoom(1); setCover(FIRST); }}><Icon name="edit" size={16} />{t('picture.cover')}</button>}
              {isLead && <button type="button" className="button button-small button-bad" onClick={() => setAsking('erase')}>{t('picture.erase')}</button>}
            </>
          )}
        </span>
      </div>
      <Facts picture={picture} event={event} />
      {asking === 'cover' && cover && (
        <Confirm title={t('picture.cover.title')} action={t('picture.cover.do')} onClose={() => setAsking(null)} onConfirm={async () => { await coverPicture(project.slug, id, [areaOf(cover, picture)]); changed(); }}>
          <p>{t('picture.cover.text')}</p>
        </Confirm>
      )}
      {asking === 'erase' && (
        <Confirm title={t('picture.erase.title')} action={t('picture.erase')} onClose={() => setAsking(null)} onConfirm={async () => { await erasePicture(project.slug, id); changed(); }}>
          <p>{t('picture.erase.text')}</p>
        </Confirm>
      )}
    </div>
  );
}

function Facts({ picture, event }: { picture: Picture; event: PictureEvent }) {
  const reasons = picture.masks.length;
  return (
    <p className="small muted" style={{ margin: 0 }}>
      {[event.application, event.screen, event.element].filter(Boolean).join(' · ')}
      {' · '}{t('picture.size', { width: picture.width, height: picture.height })}
      {reasons > 0 && <>{' · '}{t('picture.masked', { count: reasons })}</>}
      {picture.received_at && <>{' · '}{t('picture.received', { time: formatTime(picture.received_at) })}</>}
    </p>
  );
}

/** Draws a rectangle from where the pointer went down to where it is. */
function useDrawing(set: (shares: Shares) => void): StageProps['onPress'] {
  const from = useRef<{ left: number; top: number } | null>(null);
  return (place, phase) => {
    if (phase === 'down') from.current = place;
    else if (from.current) {
      const drawn = between(from.current, place);
      if (drawn.width > LEAST && drawn.height > LEAST) set(drawn);
      if (phase === 'up') from.current = null;
    }
  };
}

interface CoverBoxProps { shares: Shares; onChange: (shares: Shares) => void; onDone: () => void; onCancel: () => void }

/** The rectangle to be painted over; arrow keys move it, with Shift they size it. */
function CoverBox({ shares, onChange, onDone, onCancel }: CoverBoxProps) {
  const keys = (event: React.KeyboardEvent) => {
    const [x, y] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [0, 0];
    if (x || y) onChange(moved(shares, x!, y!, event.shiftKey));
    else if (event.key === 'Enter') onDone();
    else if (event.key === 'Escape') onCancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return <button type="button" autoFocus className="picture-cover" style={boxStyle(shares)} aria-label={t('picture.cover.keys')} onKeyDown={keys} onClick={(event) => event.preventDefault()} />;
}
