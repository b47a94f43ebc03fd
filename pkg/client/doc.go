// Package client is how an app or a bot takes part in Parley: it connects to
// any gateway, sends, and hears what happens in its user's rooms, each message
// once and in order, over lost connections, restarts and its own crashes.
//
//	session, err := client.Login(ctx, gateways, "echo", password, "bot")
//	…
//	c, err := client.Dial(ctx, client.Options{Gateways: gateways, Tokens: session})
//	…
//	defer c.Close()
//	for {
//		event, err := c.Next(ctx)
//		if err != nil {
//			return err
//		}
//		if m, ok := event.(*client.Message); ok {
//			fmt.Println(m.RoomID, m.Seq, m.Content.Text)
//		}
//	}
//
// # What it does by itself
//
// It connects again when a connection ends, to another gateway if it has
// several, after a random pause that grows with each failure (full jitter:
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter),
// not before the time that a gateway asked for, and never after a close code
// from 4500 on. It renews its token on the live connection before it runs out.
// A connection that is silent for two heartbeats counts as lost.
//
// [Client.Send] repeats a message under one client_id until it is
// acknowledged, refused for good, or its context ends; the log has it once.
//
// For each room it keeps a cursor, the seq of the last message that it has
// passed on. Live pushes may be missing, repeated or early: what is known is
// dropped, what is early is held back for a moment, and what is missing is
// fetched by range: on a gap, on the push room.head, and after each connect.
//
// # Exactly once, over restarts too
//
// An event counts as handled when [Client.Next] is called again, and then its
// room's cursor is saved, within a second, through [Options.Cursors]. After a
// crash the messages handled since are passed on once more. A bot that answers
// under a client_id made from the message's id answers once nevertheless.
//
// # Memory
//
// It is bounded: at most [Options.Buffer] messages wait to be taken, and as
// many more are held back because they came early. What does not fit is
// forgotten and fetched when there is room.
package client
