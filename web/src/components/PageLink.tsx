// A link to another page that keeps the filters. It works as any link does: open in a new tab, copy its address.
import type { MouseEvent, ReactNode } from 'react';
import { pagePath } from '../routes';
import { carriedFilters } from '../state/filters';
import { goTo, usePlace, withQuery } from '../state/location';
import { useProject } from '../state/project';

/** The address of a page of the open project with the present filters and `add`. */
export function usePageAddress(): (page: string, add?: Record<string, string>, part?: string) => string {
  const project = useProject();
  const { query } = usePlace();
  return (page, add = {}, part) => {
    const next = carriedFilters(query);
    for (const [name, value] of Object.entries(add)) next.set(name, value);
    return withQuery(pagePath(project.slug, page, part), next);
  };
}

/** True for a plain click, which the pages answer themselves; everything else is the browser's. */
export function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

interface AddressLinkProps {
  address: string;
  className?: string;
  current?: boolean;
  label?: string;
  onGone?: () => void;
  children: ReactNode;
}

export function AddressLink({ address, className, current, label, onGone, children }: AddressLinkProps) {
  return (
    <a
      href={address} className={className} aria-current={current ? 'page' : undefined} aria-label={label}
      onClick={(event) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        goTo(address);
        onGone?.();
      }}
    >
      {children}
    </a>
  );
}

interface PageLinkProps extends Omit<AddressLinkProps, 'address'> {
  page: string;
  part?: string;
  add?: Record<string, string>;
}

export function PageLink({ page, part, add, ...rest }: PageLinkProps) {
  const address = usePageAddress();
  return <AddressLink address={address(page, add, part)} {...rest} />;
}
