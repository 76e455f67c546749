/** Whether those who sign in can ask: the provider that the manifest names answers, with the keys that the manifest pins. */
import { canonicalJson, type Json } from '#libs/bytes';
import { type Finding, fail, ok, warn } from '#libs/doctor';
import type { IdentityProvider } from '#libs/protocol';
import { discoverProvider } from './federation/identity-provider.js';

const CHECK = 'sign-in';
const TODO = 'run: concordat coordinator identity-provider set, which pins the keys of today';

/** Dials the provider, for as long as its metadata and keys take: at most some 40 seconds. */
export async function checkProvider(pinned: IdentityProvider | undefined): Promise<Finding> {
  if (!pinned) return ok(CHECK, 'the manifest names no provider: analysts ask with their own keys');
  const { keys, ...naming } = pinned;
  let published: IdentityProvider;
  try {
    published = await discoverProvider(naming);
  } catch {
    // what is asked with keys, and by who signed in before, does not depend on it
    return warn(
      CHECK,
      `${pinned.issuer} does not answer as an OpenID provider`,
      'nobody can sign in until it does: see that this machine reaches it, and that the address is right',
    );
  }
  const known = new Set(keys.map((key) => canonicalJson(key as Json)));
  const today = new Set(published.keys.map((key) => canonicalJson(key as Json)));
  const fresh = [...today].filter((key) => !known.has(key)).length;
  const gone = [...known].filter((key) => !today.has(key)).length;
  if (fresh === today.size)
    return fail(CHECK, `${pinned.issuer} has other keys than the manifest; nobody is let in`, TODO);
  if (fresh > 0)
    return warn(CHECK, `${fresh} of its ${today.size} keys are not in the manifest`, TODO);
  if (gone > 0)
    return warn(CHECK, `the manifest still believes ${gone} keys that it has withdrawn`, TODO);
  return ok(CHECK, `${pinned.issuer} answers, and its ${today.size} keys are those pinned`);
}
