// Shows one picture with what is known of it: the element, the pointer, and what was painted over. Zoomed in, it scrolls and can be dragged.
import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { Picture } from '../../client';
import type { PictureEvent } from '../../client/analyses';
import { picturePath } from '../../client/pictures';
import { useProject } from '../../state/project';
import { t, type TextKey } from '../../text';
import { Icon } from '../Icon';
import { areaShares, elementShares, pointerShares, type Shares } from './places';
import './picture.css';

export interface StageProps {
  event: PictureEvent;
  picture: Picture;
  /** 1 fits the width. */
  zoom?: number;
  marks?: boolean;
  /** Changes when the picture was written anew, so that the browser asks again. */
  version?: number;
  /** What lies above the picture, such as the rectangle that is being drawn. */
  children?: ReactNode;
  onPress?: (place: { left: number; top: number }, phase: 'down' | 'move' | 'up') => void;
}

const percent = (share: number) => `${(share * 100).toFixed(3)}%`;
export const boxStyle = (shares: Shares) => ({ left: percent(shares.left), top: percent(shares.top), width: percent(shares.width), height: percent(shares.height) });

/** Reasons that have words; others are shown as the client wrote them. */
const REASONS: Record<string, TextKey> = { window: 'picture.mask.window', password: 'picture.mask.password', covered: 'picture.mask.covered', pattern: 'picture.mask.pattern' };
const reasonText = (reason: string) => { const key = REASONS[reason]; return key ? t(key as 'picture.mask.window') : reason; };

export function Stage({ event, picture, zoom = 1, marks = true, version = 0, children, onPress }: StageProps) {
  const project = useProject();
  const frame = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  const grip = useRef<{ x: number; y: number; left: number; top: number } | null>(null);
  const element = elementShares(event, picture);
  const pointer = pointerShares(event, picture);
  const address = `${picturePath.png(project.slug, picture.screenshot_id)}${version ? `?version=${version}` : ''}`;
  useEffect(() => setFailed(false), [address]);
  useEffect(() => {
    // Zoomed in, the element of the event is what one wants to see.
    const box = frame.current;
    if (!box || zoom === 1) return;
    const centre = element ? { x: element.left + element.width / 2, y: element.top + element.height / 2 } : { x: 0.5, y: 0.5 };
    box.scrollTo({ left: centre.x * box.scrollWidth - box.clientWidth / 2, top: centre.y * box.scrollHeight - box.clientHeight / 2 });
  }, [zoom, event.event, element?.left, element?.top]);

  const place = (press: PointerEvent<HTMLDivElement>) => {
    const box = press.currentTarget.querySelector('.picture')!.getBoundingClientRect();
    return { left: (press.clientX - box.left) / box.width, top: (press.clientY - box.top) / box.height };
  };
  const down = (press: PointerEvent<HTMLDivElement>) => {
    press.currentTarget.setPointerCapture(press.pointerId);
    if (onPress) onPress(place(press), 'down');
    else grip.current = { x: press.clientX, y: press.clientY, left: press.currentTarget.scrollLeft, top: press.currentTarget.scrollTop };
  };
  const move = (press: PointerEvent<HTMLDivElement>) => {
    if (onPress) return onPress(place(press), 'move');
    const from = grip.current;
    if (from) press.currentTarget.scrollTo({ left: from.left - (press.clientX - from.x), top: from.top - (press.clientY - from.y) });
  };
  const up = (press: PointerEvent<HTMLDivElement>) => {
    if (onPress) onPress(place(press), 'up');
    grip.current = null;
  };
  const what = t('picture.alt', { activity: event.activity ?? event.event_type, application: event.application ?? t('value.unnamed') });
  return (
    <div
      ref={frame} className={`picture-frame ${zoom > 1 ? 'picture-frame-zoomed' : ''} ${onPress ? 'picture-frame-drawing' : ''}`} tabIndex={zoom > 1 ? 0 : undefined}
      role={zoom > 1 ? 'group' : undefined} aria-label={zoom > 1 ? t('picture.scroll') : undefined} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up}
    >
      <div className="picture" style={{ width: `${zoom * 100}%`, aspectRatio: `${picture.width} / ${picture.height}` }} data-shown={failed ? 'failed' : undefined}>
        {failed
          ? <p className="picture-note"><Icon name="warning" /> {t('picture.failed')}</p>
          : (
            <img
              key={address} src={address} alt={what} width={picture.width} height={picture.height} draggable={false} onError={() => setFailed(true)}
              onLoad={(loaded) => { loaded.currentTarget.parentElement!.dataset.shown = picture.screenshot_id; }}
            />
          )}
        {marks && !failed && (
          <>
            {picture.masks.map((mask, index) => {
              const shares = areaShares(mask, picture);
              return shares && <div key={index} className="picture-mask" style={boxStyle(shares)} title={reasonText(mask.reason)}><span>{reasonText(mask.reason)}</span></div>;
            })}
            {element && <div className="picture-element" style={boxStyle(element)} title={event.element ?? undefined} />}
            {pointer && !element && <div className="picture-pointer" style={{ left: percent(pointer.left), top: percent(pointer.top) }} />}
          </>
        )}
        {children}
      </div>
    </div>
  );
}
