import type { Computation } from './use-computation.js';

interface ComputationPanelProps {
  /** What is computed. */
  readonly name: string;
  readonly state: Computation;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
}

/** A result that is not there: how far it is, or why it will not come. Nothing while it is there, or not asked for. */
export function ComputationPanel({ name, state, onRetry, onCancel }: ComputationPanelProps) {
  if (state.step === 'computing') {
    return (
      <section class="computing" aria-label="Progress">
        <p>
          <label for="progress">Computing: {name.toLowerCase()}</label>
        </p>
        <progress id="progress" max={1} value={state.progress} />
        <p class="note">
          From published numbers; it costs no privacy. Done once, it is there for everybody.
        </p>
        <button type="button" onClick={onCancel} disabled={!state.key}>
          Cancel
        </button>
      </section>
    );
  }
  if (state.step === 'failed') {
    return (
      <section class="problem" role="alert" aria-label="Not computed">
        <p>
          <strong>{name} could not be computed.</strong> {sentence(state.message)}
        </p>
        <p class="note">Code: {state.code}</p>
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      </section>
    );
  }
  return null;
}

const sentence = (message: string): string =>
  `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`;
