// Is this server the primary, that is, does it take writes? The first time, it
// makes a replica set of itself; "mongo" is how clients reach it.
if (!db.hello().setName) {
  db.getSiblingDB("admin").auth("root", process.env.MONGO_INITDB_ROOT_PASSWORD);
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
quit(db.hello().isWritablePrimary ? 0 : 1);
