// A handler that is async, which is not concerned.
const { MongoClient } = require("mongodb");

const orders = new MongoClient(process.env.MONGODB_URI).db("shop").collection("orders");

exports.handler = async (event) => orders.findOne({ _id: event.id });
