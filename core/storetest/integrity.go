package storetest

import "github.com/larder-go/larder/core"

var integrityRules = []row{
	{
		"a relation has a target",
		"A stored to-one relation that points at no record is OBJECT_DOES_NOT_EXIST of the target, at the commit at the latest.",
		relationHasTarget,
	},
	{
		"a target that others point at stays",
		"A record that others point at cannot be deleted: FIELD_UPDATE_FORBIDDEN with their resource and field.",
		targetStays,
	},
	{
		"a backend does not cascade",
		"Cascades are the engine's, which asks the policies: a backend deletes nothing of its own accord.",
		noCascade,
	},
	{
		"order inside a transaction does not matter",
		"Within a transaction a relation may point at a record that is inserted later, and a target may be deleted before what points at it.",
		orderDoesNotMatter,
	},
	{
		"unique values are held once",
		"Two records with the same value of a unique field are a CONFLICT that names the field, at the commit at the latest.",
		uniqueIsUnique,
	},
	{
		"unique values can be swapped",
		"Within a transaction unique values may be held twice for a while, so that they can be swapped.",
		uniquesSwap,
	},
	{
		"null is not unique",
		"Any number of records may have null in a unique field.",
		nullIsNotUnique,
	},
	{
		"a freed unique value can be taken",
		"A unique value is free when its record was changed or deleted, in the same transaction too.",
		freedValueIsFree,
	},
	{
		"one-to-one relations are unique",
		"No two records point at the same one through the stored side of a one-to-one relation; partners can be swapped.",
		oneToOne,
	},
	{
		"records may point at themselves",
		"A relation may point at its own record or form a ring, and a ring can be deleted at once.",
		ringsAreFine,
	},
	{
		"a failed commit leaves nothing",
		"A transaction whose commit fails has done nothing, and the next one works.",
		failedCommitLeavesNothing,
	},
}

func relationHasTarget(t *trial) {
	t.insert("jar", fields{"id": 1})
	_, err := t.tryInsert("cookie", fields{"id": 1, "jar": 2})
	t.fails("insert", err, t.res("jar").NotFound(core.IntValue(2)))
	t.sameKeys("after insert", t.all("cookie"))
	before := t.insert("cookie", fields{"id": 1, "jar": 1})
	_, err = t.tryUpdate("cookie", fields{"id": 1, "jar": 3})
	t.fails("update", err, t.res("jar").NotFound(core.IntValue(3)))
	t.same("after update", t.all("cookie"), before...)
	err = t.tryTx(core.TxOptions{}, func(tx *client) error {
		_, err := tx.tryInsert("page", fields{"slug": "a", "parent": "b"})
		return err
	})
	t.fails("transaction", err, t.res("page").NotFound(core.TextValue("b")))
	t.sameKeys("after the transaction", t.all("page"))
}

func targetStays(t *trial) {
	t.insert("jar", fields{"id": 1}, fields{"id": 2})
	t.insert("cookie", fields{"id": 1, "jar": 1})
	t.fails("delete", t.tryDelete("jar", 1), t.res("cookie").Field("jar").StillReferenced())
	t.sameKeys("jars", t.all("jar"), 1, 2)
	err := t.tryTx(core.TxOptions{}, func(tx *client) error { return tx.tryDelete("jar", 1, 2) })
	t.fails("delete in a transaction", err, t.res("cookie").Field("jar").StillReferenced())
	t.sameKeys("jars", t.all("jar"), 1, 2)
	t.update("cookie", fields{"id": 1, "jar": 2})
	t.delete("jar", 1)
	t.sameKeys("jars", t.all("jar"), 2)
}

func noCascade(t *trial) {
	before := t.insert("page", fields{"slug": "child", "parent": "top"}, fields{"slug": "top"})
	t.fails("delete", t.tryDelete("page", "top"), t.res("page").Field("parent").StillReferenced())
	t.same("after", t.all("page"), before...)
	t.delete("page", "child", "top")
}

func orderDoesNotMatter(t *trial) {
	t.tx(func(tx *client) {
		tx.insert("cookie", fields{"id": 1, "jar": 1}, fields{"id": 2})
		tx.update("cookie", fields{"id": 2, "jar": 2})
		tx.insert("jar", fields{"id": 1}, fields{"id": 2})
	})
	t.sameKeys("in jar 1", t.where("cookie", core.Eq("jar", 1)), 1)
	t.tx(func(tx *client) {
		tx.delete("jar", 1, 2)
		tx.delete("cookie", 1)
		tx.update("cookie", fields{"id": 2, "jar": nil})
	})
	t.sameKeys("jars", t.all("jar"))
	t.same("cookies", t.all("cookie"), t.full("cookie", fields{"id": 2}))
	t.insert("jar", fields{"id": 3})
	t.update("cookie", fields{"id": 2, "jar": 3})
	t.tx(func(tx *client) { // the target comes again
		tx.delete("jar", 3)
		tx.insert("jar", fields{"id": 3, "label": "new"})
	})
	t.same("jars", t.all("jar"), t.full("jar", fields{"id": 3, "label": "new"}))
}

func uniqueIsUnique(t *trial) {
	before := t.insert("jar", fields{"id": 1, "label": "a"}, fields{"id": 2, "label": "A"}, fields{"id": 3, "label": ""})
	taken := t.res("jar").Field("label").AlreadyExists()
	_, err := t.tryInsert("jar", fields{"id": 4, "label": "a"})
	t.fails("insert", err, taken)
	_, err = t.tryInsert("jar", fields{"id": 4, "label": ""})
	t.fails("insert of the empty text", err, taken)
	_, err = t.tryInsert("jar", fields{"id": 4, "label": "x"}, fields{"id": 5, "label": "x"})
	t.fails("insert of two", err, taken)
	_, err = t.tryUpdate("jar", fields{"id": 2, "label": "a"})
	t.fails("update", err, taken)
	err = t.tryTx(core.TxOptions{}, func(tx *client) error {
		_, err := tx.tryUpdate("jar", fields{"id": 2, "label": "a"})
		return err
	})
	t.fails("transaction", err, taken)
	t.same("after", t.all("jar"), before...)
}

func uniquesSwap(t *trial) {
	t.insert("jar", fields{"id": 1, "label": "a"}, fields{"id": 2, "label": "b"}, fields{"id": 3, "label": "c"})
	t.tx(func(tx *client) {
		tx.update("jar", fields{"id": 1, "label": "b"})
		tx.update("jar", fields{"id": 2, "label": "a"})
	})
	t.sameKeys("a, b, c", t.find("jar", core.Query{Order: []string{"label"}}), 2, 1, 3)
	t.update("jar", fields{"id": 1, "label": "c"}, fields{"id": 2, "label": "b"}, fields{"id": 3, "label": "a"})
	t.sameKeys("a, b, c after one update", t.find("jar", core.Query{Order: []string{"label"}}), 3, 2, 1)
	t.tx(func(tx *client) {
		tx.insert("jar", fields{"id": 4, "label": "a"})
		tx.sameKeys("both hold a", tx.where("jar", core.Eq("label", "a")), 3, 4)
		tx.delete("jar", 3)
	})
	t.sameKeys("a", t.where("jar", core.Eq("label", "a")), 4)
}

func nullIsNotUnique(t *trial) {
	t.insert("jar", fields{"id": 1}, fields{"id": 2}, fields{"id": 3, "label": "a"})
	t.update("jar", fields{"id": 3, "label": nil})
	equal(t.client, "jars without label", t.count("jar", core.Eq("label", nil)), 3)
}

func freedValueIsFree(t *trial) {
	t.insert("jar", fields{"id": 1, "label": "a"}, fields{"id": 2, "label": "b"})
	t.update("jar", fields{"id": 1, "label": "z"})
	t.insert("jar", fields{"id": 3, "label": "a"})
	t.delete("jar", 3)
	t.update("jar", fields{"id": 2, "label": "a"})
	t.tx(func(tx *client) {
		tx.delete("jar", 2)
		tx.insert("jar", fields{"id": 4, "label": "a"})
	})
	t.sameKeys("a", t.where("jar", core.Eq("label", "a")), 4)
}

func oneToOne(t *trial) {
	ids := t.nextIDs("person", 4)
	t.insert("person", fields{"id": ids[0]}, fields{"id": ids[1]})
	t.insert("person", fields{"id": ids[2], "wife": ids[0]}, fields{"id": ids[3], "wife": ids[1]})
	_, err := t.tryUpdate("person", fields{"id": ids[2], "wife": ids[1]})
	t.fails("update", err, t.res("person").Field("wife").AlreadyExists())
	t.tx(func(tx *client) {
		tx.update("person", fields{"id": ids[2], "wife": ids[1]})
		tx.update("person", fields{"id": ids[3], "wife": ids[0]})
	})
	equal(t.client, "wife after the swap", t.get("person", ids[2]).Get("wife"), ids[1])
	equal(t.client, "wife after the swap", t.get("person", ids[3]).Get("wife"), ids[0])
	t.fails("delete", t.tryDelete("person", ids[0]), t.res("person").Field("wife").StillReferenced())
}

func ringsAreFine(t *trial) {
	t.insert("page", fields{"slug": "self", "parent": "self"}, fields{"slug": "a", "parent": "b"}, fields{"slug": "b", "parent": "a"})
	t.fails("delete of half a ring", t.tryDelete("page", "a"), t.res("page").Field("parent").StillReferenced())
	t.delete("page", "a", "b")
	t.delete("page", "self")
	t.sameKeys("after", t.all("page"))
}

func failedCommitLeavesNothing(t *trial) {
	before := t.insert("jar", fields{"id": 1, "label": "a"})
	err := t.tryTx(core.TxOptions{}, func(tx *client) error {
		tx.update("jar", fields{"id": 1, "size": 9})
		tx.insert("jar", fields{"id": 2, "label": "b"})
		_, err := tx.tryInsert("cookie", fields{"id": 1, "jar": 2}, fields{"id": 2, "jar": 3})
		return err
	})
	t.fails("transaction", err, t.res("jar").NotFound(core.IntValue(3)))
	t.same("jars", t.all("jar"), before...)
	t.sameKeys("cookies", t.all("cookie"))
	t.insert("jar", fields{"id": 2, "label": "b"})
}
