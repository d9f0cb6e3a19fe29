// The issuer that the tests sign in through: oidc-provider, which is certified for OpenID Connect,
// with the clients, keys and people of a file of JSON, and the pages that come with it.
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const given = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const provider = new Provider(given.issuer, {
  clients: given.clients,
  jwks: given.jwks,
  conformIdTokenClaims: !given.claimsInIdToken,
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'groups'],
  },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'HS256'] },
  cookies: { keys: ['of a test'] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  async findAccount(_ctx, id) {
    const claims = given.people[id];
    return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
  },
});

provider.listen(given.port, '127.0.0.1');
