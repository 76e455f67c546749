/** How an evaluation can be judged. Each asks for its own areas; the first is what is judged by unless another is chosen. */
export const EVALUATION_METHODS = ['wdd', 'did', 'synthetic'] as const;
export type EvaluationMethod = (typeof EVALUATION_METHODS)[number];

export const METHOD_NAMES: Readonly<Record<EvaluationMethod, string>> = {
  wdd: 'Weighted displacement difference',
  did: 'Difference in differences',
  synthetic: 'Synthetic control',
};

/** What each compares, and which areas it needs. */
export const METHOD_NOTES: Readonly<Record<EvaluationMethod, string>> = {
  wdd: 'Change of the treated area less that of the control, over as many months before as after. Crime that moved next door can be added by a displacement area and a control of its own.',
  did: 'Mean month after less mean month before, in the treated area less in the control. All months count, also when there are more on one side.',
  synthetic:
    'The mix of comparison areas that moved like the treated area before stands for what would have happened. Its p-value is the rank of the treated area among them.',
};
