// The line drawings used beside words. They carry no meaning of their own and are hidden from assistive technology.

const DRAWINGS = {
  overview: 'M3 13h5V3H3zM10 17h7v-7h-7zM10 7h7V3h-7zM3 17h5v-1H3z',
  applications: 'M3 4h14v12H3zM3 8h14M6 6h.01M8.500 6h.01',
  switching: 'M4 7h11l-3-3M16 13H5l3 3',
  copy: 'M7 7h10v10H7zM13 7V3H3v10h4',
  map: 'M3 3h6v4H3zM11 13h6v4h-6zM6 7v4h8v2',
  variants: 'M3 4h4l2 2-2 2H3l2-2zM10 4h5l2 2-2 2h-5M3 12h4l2 2-2 2H3l2-2zM10 12h2l2 2-2 2h-2',
  tasks: 'M3 5l1.500 1.500L7 4M9 5h8M3 10l1.500 1.500L7 9M9 10h8M3 15l1.500 1.500L7 14M9 15h8',
  robot: 'M4 8h12v8H4zM10 8V4M9 3h2M7.500 11.500h.01M12.500 11.500h.01M8 14h4M2 11v3M18 11v3',
  timeline: 'M3 5h6M7 10h8M12 15h5M3 3v14',
  data: 'M4 5c0-1.100 2.700-2 6-2s6 .9 6 2-2.700 2-6 2-6-.9-6-2zM4 5v10c0 1.100 2.700 2 6 2s6-.9 6-2V5M4 10c0 1.100 2.700 2 6 2s6-.9 6-2',
  import: 'M10 3v9M6.500 8.500 10 12l3.500-3.500M3 13v4h14v-4',
  download: 'M10 3v9M6.500 8.500 10 12l3.500-3.500M4 16h12',
  close: 'M5 5l10 10M15 5 5 15',
  chevron: 'M6 8l4 4 4-4',
  right: 'M8 5l5 5-5 5',
  left: 'M12 5l-5 5 5 5',
  filter: 'M3 5h14l-5.500 6v5l-3-1.500V11z',
  info: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 9.500V14M10 6.500h.01',
  warning: 'M10 3 18 17H2zM10 8v4M10 14.500h.01',
  table: 'M3 4h14v12H3zM3 8h14M3 12h14M8 8v8',
  chart: 'M4 16V9M8 16V4M12 16v-5M16 16V7',
  sun: 'M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM10 2v2M10 16v2M2 10h2M16 10h2M4.300 4.300l1.500 1.500M14.200 14.200l1.500 1.500M4.300 15.700l1.500-1.500M14.200 5.800l1.500-1.500',
  moon: 'M16.500 12.500A7 7 0 0 1 7.500 3.500a7 7 0 1 0 9 9z',
  screen: 'M3 4h14v9H3zM7 17h6M10 13v4',
  menu: 'M3 5h14M3 10h14M3 15h14',
  plus: 'M10 4v12M4 10h12',
  minus: 'M4 10h12',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  play: 'M6 4l10 6-10 6z',
  stop: 'M5 5h10v10H5z',
  check: 'M4 10.500 8 14.500 16 6',
  up: 'M10 16V4M5 9l5-5 5 5',
  down: 'M10 4v12M5 11l5 5 5-5',
  lock: 'M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3',
  refresh: 'M16 10a6 6 0 1 1-2-4.500M16 3v3.500h-3.500',
  folder: 'M3 5h5l2 2h7v9H3z',
  people: 'M7.500 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2.500-5 5.500-5s5.500 2 5.500 5M13 3.500a3 3 0 0 1 0 5M15 12.500c1.800.7 3 2.300 3 4.500',
  key: 'M7 13a4 4 0 1 1 3.500-6H18v3h-2v2h-3v-2h-2.500A4 4 0 0 1 7 13zM7 9h.01',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4l3 2',
  picture: 'M3 4h14v12H3zM3 14l4-4 3 3 3-4 4 5M8 8h.01',
  text: 'M4 5V4h12v1M10 4v12M7.500 16h5',
  shield: 'M10 3l6 2v5c0 3.500-2.500 6-6 7-3.500-1-6-3.500-6-7V5z',
  edit: 'M4 16l1-4 8-8 3 3-8 8zM11 6l3 3',
  bell: 'M5 14V9a5 5 0 0 1 10 0v5l1 1H4zM8.500 17.500h3',
  cases: 'M4 3h9v4M4 3v11h3M7 7h9v10H7z',
} as const;

export type IconName = keyof typeof DRAWINGS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false" fill="none"
      stroke="currentColor" strokeWidth={1.5} strokeLinecap="round" strokeLinejoin="round"
    >
      <path d={DRAWINGS[name]} />
    </svg>
  );
}
