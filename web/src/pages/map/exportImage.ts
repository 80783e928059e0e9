// Saves the drawn process map, whole and not only the part in sight, as SVG or PNG.
import { saveFile } from '../../format/save';

const MARGIN = 16;
/** Pictures larger than this on a side are scaled down, because browsers refuse larger canvases. */
const SIDE_PX_MAX = 8000;

interface Picture {
  text: string;
  width: number;
  height: number;
}

function wholePicture(svg: SVGSVGElement, background: string): Picture {
  const content = svg.querySelector<SVGGElement>('[data-content]')!;
  const box = content.getBBox();
  const [width, height] = [Math.ceil(box.width + 2 * MARGIN), Math.ceil(box.height + 2 * MARGIN)];
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  copy.setAttribute('viewBox', `${box.x - MARGIN} ${box.y - MARGIN} ${width} ${height}`);
  copy.style.background = background;
  copy.querySelector('[data-content]')!.removeAttribute('transform');
  // Names of nodes in attributes may hold signs that a picture file must not.
  copy.querySelectorAll<SVGElement>('[data-from], [data-activity]').forEach((part) => {
    for (const name of Object.keys(part.dataset)) delete part.dataset[name];
  });
  copy.querySelectorAll('.map-ring').forEach((ring) => ring.remove());
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

export function saveSvg(svg: SVGSVGElement, background: string, name: string): void {
  saveFile(new Blob([wholePicture(svg, background).text], { type: 'image/svg+xml' }), `${name}.svg`);
}

export async function savePng(svg: SVGSVGElement, background: string, name: string): Promise<void> {
  const { text, width, height } = wholePicture(svg, background);
  const scale = Math.min(2, SIDE_PX_MAX / Math.max(width, height));
  const address = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = width * scale;
    canvas.height = height * scale;
    const paper = canvas.getContext('2d')!;
    paper.fillStyle = background;
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (blob) saveFile(blob, `${name}.png`);
  } finally {
    URL.revokeObjectURL(address);
  }
}
