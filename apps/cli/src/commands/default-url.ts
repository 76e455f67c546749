/** Where `npm start` serves, and every command looks for a coordinator unless told. */
export const DEFAULT_URL = 'http://127.0.0.1:4100';
