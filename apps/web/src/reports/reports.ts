/** Every report: what is computed of a whole area, not of each hexagon, and stands beside the map instead of on it. */
export const REPORT_IDS = ['concentration', 'evaluation', 'plan'] as const;
export type ReportId = (typeof REPORT_IDS)[number];

export interface Report {
  readonly id: ReportId;
  readonly name: string;
  readonly question: string;
}

export const isReport = (id: string): id is ReportId => REPORT_IDS.some((known) => known === id);

export const REPORTS: Readonly<Record<ReportId, Report>> = {
  concentration: {
    id: 'concentration',
    name: 'Concentration',
    question: 'Which share of the hexagons holds which share of the incidents?',
  },
  evaluation: {
    id: 'evaluation',
    name: 'Evaluation',
    question: 'Did an intervention work, and could it have been seen?',
  },
  plan: {
    id: 'plan',
    name: 'Plan',
    question: 'How fine may each category be asked next year, and with which budget?',
  },
};
