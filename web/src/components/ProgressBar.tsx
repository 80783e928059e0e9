// How much of something is done, as a bar; the figure beside it is for whoever uses it to write.
export function ProgressBar({ label, share }: { label: string; share: number }) {
  return (
    <div className="progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
      <span style={{ width: `${share * 100}%` }} />
    </div>
  );
}
