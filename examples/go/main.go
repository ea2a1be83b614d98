// A Go function with MongoDB's driver: one client for the environment, given back when the environment ends.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

type event struct {
	ID int `json:"id"`
}

func main() {
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		panic(err)
	}
	orders := client.Database("shop").Collection("orders")

	handle := func(ctx context.Context, e event) (json.RawMessage, error) {
		var order bson.M
		if err := orders.FindOne(ctx, bson.D{{Key: "_id", Value: e.ID}}).Decode(&order); err != nil {
			return nil, err
		}
		return bson.MarshalExtJSON(order, false, false)
	}

	// It registers an internal extension, without which Lambda sends no SIGTERM.
	lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() {
		_ = client.Disconnect(context.Background())
		os.Exit(0)
	}))
}
