export {
  folderArgument,
  httpAddress,
  keyArgument,
  nameArgument,
  portNumber,
  wholeNumber,
} from './arguments.js';
export { endFailed } from './failure.js';
