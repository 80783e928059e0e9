// A field for a new password with what makes a good one. The service decides whether it takes it.
import { t } from '../../text';

/** As the service asks; shorter ones are not even sent. */
export const PASSWORD_CHARS_MIN = 12;

export function NewPasswordField({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label className="field"><span>{label}</span>
      <input
        className="input" type="password" autoComplete="new-password" required minLength={PASSWORD_CHARS_MIN} value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <small className="muted">{t('password.note', { count: PASSWORD_CHARS_MIN })}</small>
    </label>
  );
}
