package client_test

import (
	"context"
	"fmt"
	"os"

	"github.com/parley-im/parley/pkg/client"
)

// A person's client: log in, say hello, and print what is said.
func Example() {
	ctx := context.Background()
	gateways := []string{"http://127.0.0.1:8080", "http://127.0.0.1:8081"}
	session, err := client.Login(ctx, gateways, "ann", os.Getenv("PASSWORD"), "laptop")
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := client.Dial(ctx, client.Options{
		Gateways: gateways,
		Tokens:   session,
		Cursors:  client.NewFileCursors("cursors.json"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if _, err := c.Send(ctx, os.Getenv("ROOM"), "hello"); err != nil {
		fmt.Println(err)
		return
	}
	for {
		event, err := c.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		switch e := event.(type) {
		case *client.Message:
			fmt.Println(e.RoomID, e.Seq, e.SenderID, e.Content.Text)
		case *client.RoomCreated:
			fmt.Println("welcome to", e.Room.Name)
		case *client.Disconnected:
			fmt.Println("offline:", e.Err)
		}
	}
}

// A message sent again under its client_id, after a crash for example, is the
// same message.
func ExampleClient_Send() {
	notify := func(ctx context.Context, c *client.Client, roomID, orderID string) error {
		reply, err := c.Send(ctx, roomID, "Order "+orderID+" has shipped.", client.WithClientID("shipped-"+orderID))
		if err != nil {
			return err
		}
		if reply.Duplicate {
			fmt.Println("was told before, as message", reply.Seq)
		}
		return nil
	}
	_ = notify
}
