// Package cohost decides lives, invitations and co-host connections.
//
// # Lives
//
// A live is created, and ends once. Its host's name and picture may change meanwhile; its kind and its host do not. An id
// whose live has ended may be used for a new live. A live that ends first ends its invitations (LiveEnded) and leaves its
// connection (LeftLiveEnded). Ending an ended live changes nothing.
//
// # Presence
//
//   - Presence begins with the first sign of life; a live that has shown none is never missed.
//   - Silence takes a host from Present to Unreachable to Lost, and then ends its live; each step is decided once, by who writes
//     and knows how long it has lasted (MissHost). A sign of life takes it back to Present from wherever it is.
//   - A host that is lost is in no invitation, is invited by nobody (HOST_LOST) and gives no command (HOST_LOST). It leaves its
//     connection (LeftLost) in a decision of its own, once battle has let it go, be it back since.
//   - A session that was not known before takes over, with a fence one greater, by a sign of life or by a command. One that was
//     superseded does nothing any more (SUPERSEDED). Who names no session is not fenced.
//
// # Connections
//
//   - A live is in at most one connection. A connection has two to Rules.MaxMembers members, all of the same kind.
//   - When one of two members leaves, the connection dissolves and the other is told so (LeftDissolved). When one of more
//     leaves, the rest go on.
//   - A connection has a layout (layout.go), which any member may change. The layout is for its kind of lives and never has
//     fewer seats than there are members: a layout with fewer is refused, and so is who would be one too many, with
//     CONNECTION_FULL.
//   - A member may mute another for itself and its audience. That ends when either of the two leaves.
//
// # Invitations
//
// An invitation goes from one live, the inviter, to another, the invitee. It ends exactly once: accepted, rejected by the
// invitee, cancelled by the inviter, timed out, because one of the two lives ended, or withdrawn.
//
//   - The invitee joins the inviter's connection; if the inviter has none, the two found one. So only a live that is in
//     no connection can be invited: one in another connection is refused with CONNECTED_WITH_OTHERS, one in the same with
//     ALREADY_CONNECTED.
//   - As soon as a live joins a connection, every other invitation that it has received is withdrawn, since it could not
//     be accepted any more. From this follows that a connected live has no received invitation pending.
//   - The invitations that a live has sent stay when it joins a connection, and when it leaves one: whoever accepts joins
//     the connection that the inviter is in at that moment.
//   - Two who invite each other have both said yes: a request to a live whose invitation is pending accepts that
//     invitation. So there is never an invitation pending in both directions.
//   - Whether there is room is decided when an invitation is accepted; a request is refused with CONNECTION_FULL only when
//     the inviter's connection is full already. An invitation that cannot be accepted because the connection is full
//     stays: a member may leave before it times out.
//   - From its deadline on an invitation counts as timed out, even in the moment before the timeout is in the log.
//   - A live has at most Rules.MaxPending invitations pending in each direction, so that what follows from ending it fits
//     into one decision; a request beyond that is refused with CONNECTION_RATE_LIMITED.
//   - A live, and a user with all the lives that it hosts, may send Rules.LiveRate and Rules.UserRate invitations in any
//     minute of log time. A request beyond that is refused with CONNECTION_RATE_LIMITED; that refusal is passing, and
//     the log does not keep it. A request that accepts an invitation is not counted.
//   - At most Rules.SessionRate sessions may take a live over in any minute of log time. A sign of life or a command of one more is
//     refused with RATE_LIMITED, and that is passing, too.
//
// # Who is told
//
// See told.go.
package cohost
