/** Version of this software, as log entries name it. */
export const VERSION = 'concordat 0.1.0';
