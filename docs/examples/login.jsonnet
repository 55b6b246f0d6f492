// What a webhook is told about a sign-in. `ctx` is described in docs/actions.md; optional members are asked for with std.get.
function(ctx) {
  flow: ctx.flow.id,
  client: ctx.flow.type,
  identity: std.get(std.get(ctx, 'identity', {}), 'id'),
  email: std.get(std.get(std.get(ctx, 'identity', {}), 'traits', {}), 'email'),
  sent_along: std.get(ctx.flow, 'transient_payload', {}),
}
