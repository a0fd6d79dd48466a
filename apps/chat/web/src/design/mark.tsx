/** The logo: a gate between two posts, with water under it. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0d5f73" />
      <g fill="none" stroke="#fff" strokeWidth="2.4" strokeLinecap="round">
        <path d="M8 6.5v19M24 6.5v19M8 9.5h16" />
        <path d="M13 9.5v7h6v-7" strokeLinejoin="round" />
        <path d="M8 22.5c2-1.6 3.3-1.6 5.3 0s3.4 1.6 5.4 0 3.3-1.6 5.3 0" stroke="#8fe0ee" />
      </g>
    </svg>
  );
}
