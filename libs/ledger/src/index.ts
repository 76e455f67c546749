export {
  type ActivePolicy,
  type Answer,
  analystUse,
  answerFor,
  applyEntry,
  emptyLedger,
  type Ledger,
  type Reservation,
  remaining,
  reservationFor,
  spent,
} from './ledger.js';
export { checkEntry, checkEntryOrder, type OrderFault, type OrderReport } from './order.js';
export { ledgerView, type Preview, preview, type SpentTable, spentTable } from './preview.js';
export {
  abandon,
  type ReserveRefusal,
  type ReserveRequest,
  type ReserveResult,
  reserve,
} from './reserve.js';
