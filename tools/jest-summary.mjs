/** Closes a Jest run with the one plain line that CI reads: 'N passed, N failed'. */
export default class JestSummary {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    console.log(`${results.numPassedTests} passed, ${failed} failed`);
  }
}
