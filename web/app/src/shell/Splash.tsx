/** Shown for the moment until it is known whether someone is signed in; index.html begins with the same. */
export function Splash() {
  return (
    <main className="splash" aria-busy="true">
      <img src="/favicon.svg" alt="Parley" width={48} height={48} />
    </main>
  );
}
