/** Shown while the coordinator has nothing to map: says what will appear here and how to get it. */
export function EmptyState() {
  return (
    <section class="empty" aria-labelledby="empty-title">
      <h2 id="empty-title">No release yet</h2>
      <p>
        This map shows answers, never records. Each agency keeps its records at home and sends only
        counts with noise added; once a round closes, the sum is published here as a release.
      </p>
      <ol>
        <li>Nodes enrol and load their own records.</li>
        <li>An analyst asks one question: what, where, when, and how much privacy it may cost.</li>
        <li>Every agency decides, answers or refuses. Silence is shown as missing, not as zero.</li>
      </ol>
      <p>To ask the first question from a terminal:</p>
      <pre>
        <code>npx concordat query --help</code>
      </pre>
      <p>This page looks again every few seconds.</p>
    </section>
  );
}
