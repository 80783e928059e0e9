// A button that opens a small box beside it. Escape and a press outside close it; focus returns to the button.
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';

interface PopoverProps {
  label?: string;
  className?: string;
  boxClassName?: string;
  align?: 'start' | 'end';
  button: ReactNode;
  children: (close: () => void) => ReactNode;
}

export function Popover({ label, className = 'button', boxClassName = '', align = 'start', button, children }: PopoverProps) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();

  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };

  useEffect(() => {
    if (!open) return;
    keepOnScreen(box.current);
    const press = (event: PointerEvent) => {
      if (!anchor.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', press);
    return () => document.removeEventListener('pointerdown', press);
  }, [open]);

  return (
    <span
      className="popover-anchor" ref={anchor}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        close();
      }}
      onBlur={(event) => {
        if (event.relatedTarget && !anchor.current?.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button
        ref={opener} type="button" className={className} aria-label={label} aria-expanded={open}
        aria-controls={open ? id : undefined} onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div id={id} ref={box} className={`popover ${align === 'end' ? 'popover-end' : ''} ${boxClassName}`}>
          {children(close)}
        </div>
      )}
    </span>
  );
}

/** Shifts the box sideways when it would leave the window, as it does on narrow screens. */
function keepOnScreen(box: HTMLElement | null): void {
  if (!box) return;
  const margin = 8;
  const place = box.getBoundingClientRect();
  const right = place.right - (document.documentElement.clientWidth - margin);
  const left = margin - place.left;
  const shift = left > 0 ? left : right > 0 ? -right : 0;
  if (shift !== 0) box.style.translate = `${shift}px 0`;
}
