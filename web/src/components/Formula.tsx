// The small button that tells how a figure is computed, in the service's own words.
import { t } from '../text';
import { Icon } from './Icon';
import { Popover } from './Popover';

export function Formula({ of, text, align = 'end' }: { of: string; text: string; align?: 'start' | 'end' }) {
  return (
    <Popover className="button button-quiet button-icon button-small" align={align} label={t('formula.open', { of })} button={<Icon name="info" size={16} />}>
      {() => (
        <div className="stack-tight small">
          <strong>{t('formula.title', { of })}</strong>
          <p className="formula">{text}</p>
        </div>
      )}
    </Popover>
  );
}
