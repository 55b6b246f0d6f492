// An OpenID Connect provider that forgets everything when it ends: `node provider.mjs <port> <redirect uri>...`
// Whoever types a login at it has that account, with any password.

import Provider from "oidc-provider";

const [port, ...redirects] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: process.env.CLIENT_ID,
      client_secret: process.env.CLIENT_SECRET,
      redirect_uris: redirects,
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false, // they are in the id_token, and at the userinfo endpoint too
  cookies: { keys: ["a-secret-for-tests-0001"] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (ctx, login) => ({
    accountId: login,
    claims: () => ({ sub: login, email: `${login}@example.org`, email_verified: true, name: login }),
  }),
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
