/** The app's sign. It is drawn here rather than loaded: offline it must be there, too. */
export function Logo({ size, className }: { size: number; className?: string }) {
  return (
    <svg className={className} viewBox="0 0 32 32" width={size} height={size} aria-hidden>
      <path
        fill="#0b6b60"
        d="M7 3h18a5 5 0 0 1 5 5v11a5 5 0 0 1-5 5H14l-7.2 5.4A.5.5 0 0 1 6 29v-5.1A5 5 0 0 1 2 19V8a5 5 0 0 1 5-5Z"
      />
      <path fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" d="M9 11h14M9 16.5h9" />
    </svg>
  );
}
