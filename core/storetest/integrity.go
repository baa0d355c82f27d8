package storetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var integrityRules = []rule{
	{
		"a reference has a target",
		"A stored to-one relation without a target is OBJECT_DOES_NOT_EXIST of the target, at commit at the latest.",
		relationHasTarget,
	},
	{
		"a referenced record cannot be deleted",
		"The delete of a referenced record is STILL_REFERENCED with the list side of the relation, or the field that references it.",
		targetCannotBeDeleted,
	},
	{
		"a backend does not cascade",
		"The engine cascades deletes, under the policies. A backend deletes only the records that it is asked to delete.",
		noCascade,
	},
	{
		"references are checked at commit",
		"In a transaction a relation may reference a record that is inserted later, and a target may be deleted before the records that reference it.",
		orderDoesNotMatter,
	},
	{
		"unique values occur once",
		"Two records with the same value of a unique field are a CONFLICT that names the field, at commit at the latest.",
		uniqueIsUnique,
	},
	{
		"unique values can be swapped",
		"In a transaction, two records may temporarily have the same unique value, so that values can be swapped.",
		uniquesSwap,
	},
	{
		"null is not unique",
		"Any number of records may have null in a unique field.",
		nullIsNotUnique,
	},
	{
		"a freed unique value can be used",
		"A unique value is free after its record was changed or deleted, also in the same transaction.",
		freedValueCanBeUsed,
	},
	{
		"one-to-one relations are unique",
		"The stored side of a one-to-one relation references each record at most once. Partners can be swapped.",
		oneToOne,
	},
	{
		"records may reference themselves",
		"A relation may reference its own record or form a cycle, and a cycle can be deleted in one operation.",
		selfReferences,
	},
	{
		"a kept reference needs no target",
		"A relation with OnDelete Keep may name a record that does not exist, and stays when its target is deleted. A related condition then does not match.",
		keptReference,
	},
	{
		"a failed commit changes nothing",
		"A transaction whose commit fails changes nothing, and the next one works.",
		failedCommitLeavesNothing,
	},
}

func relationHasTarget(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1})
	_, err := t.TryInsert("cookie", kit.Fields{"id": 1, "jar": 2})
	t.Fails("insert", err, t.Resource("jar").NotFound(core.IntValue(2)))
	t.SameKeys("after insert", t.All("cookie"))
	before := t.Insert("cookie", kit.Fields{"id": 1, "jar": 1})
	_, err = t.TryUpdate("cookie", kit.Fields{"id": 1, "jar": 3})
	t.Fails("update", err, t.Resource("jar").NotFound(core.IntValue(3)))
	t.Same("after update", t.All("cookie"), before...)
	err = t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		_, err := tx.TryInsert("page", kit.Fields{"slug": "a", "parent": "b"})
		return err
	})
	t.Fails("transaction", err, t.Resource("page").NotFound(core.TextValue("b")))
	t.SameKeys("after the transaction", t.All("page"))
}

func targetCannotBeDeleted(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1}, kit.Fields{"id": 2})
	t.Insert("cookie", kit.Fields{"id": 1, "jar": 1})
	t.Fails("delete", t.TryDelete("jar", 1), t.Resource("cookie").Field("jar").StillReferenced())
	t.SameKeys("jars", t.All("jar"), 1, 2)
	err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error { return tx.TryDelete("jar", 1, 2) })
	t.Fails("delete in a transaction", err, t.Resource("cookie").Field("jar").StillReferenced())
	t.SameKeys("jars", t.All("jar"), 1, 2)
	t.Update("cookie", kit.Fields{"id": 1, "jar": 2})
	t.Delete("jar", 1)
	t.SameKeys("jars", t.All("jar"), 2)
}

func noCascade(t *kit.Fixture) {
	before := t.Insert("page", kit.Fields{"slug": "child", "parent": "top"}, kit.Fields{"slug": "top"})
	t.Fails("delete", t.TryDelete("page", "top"), t.Resource("page").Field("parent").StillReferenced())
	t.Same("after", t.All("page"), before...)
	t.Delete("page", "child", "top")
}

func orderDoesNotMatter(t *kit.Fixture) {
	t.Tx(func(tx *kit.Client) {
		tx.Insert("cookie", kit.Fields{"id": 1, "jar": 1}, kit.Fields{"id": 2})
		tx.Update("cookie", kit.Fields{"id": 2, "jar": 2})
		tx.Insert("jar", kit.Fields{"id": 1}, kit.Fields{"id": 2})
	})
	t.SameKeys("in jar 1", t.Where("cookie", core.Eq("jar", 1)), 1)
	t.Tx(func(tx *kit.Client) {
		tx.Delete("jar", 1, 2)
		tx.Delete("cookie", 1)
		tx.Update("cookie", kit.Fields{"id": 2, "jar": nil})
	})
	t.SameKeys("jars", t.All("jar"))
	t.Same("cookies", t.All("cookie"), t.Full("cookie", kit.Fields{"id": 2}))
	t.Insert("jar", kit.Fields{"id": 3})
	t.Update("cookie", kit.Fields{"id": 2, "jar": 3})
	t.Tx(func(tx *kit.Client) { // the target is inserted again
		tx.Delete("jar", 3)
		tx.Insert("jar", kit.Fields{"id": 3, "label": "new"})
	})
	t.Same("jars", t.All("jar"), t.Full("jar", kit.Fields{"id": 3, "label": "new"}))
}

func uniqueIsUnique(t *kit.Fixture) {
	before := t.Insert("jar", kit.Fields{"id": 1, "label": "a"}, kit.Fields{"id": 2, "label": "A"}, kit.Fields{"id": 3, "label": ""})
	taken := t.Resource("jar").Field("label").AlreadyExists()
	_, err := t.TryInsert("jar", kit.Fields{"id": 4, "label": "a"})
	t.Fails("insert", err, taken)
	_, err = t.TryInsert("jar", kit.Fields{"id": 4, "label": ""})
	t.Fails("insert of the empty text", err, taken)
	_, err = t.TryInsert("jar", kit.Fields{"id": 4, "label": "x"}, kit.Fields{"id": 5, "label": "x"})
	t.Fails("insert of two", err, taken)
	_, err = t.TryUpdate("jar", kit.Fields{"id": 2, "label": "a"})
	t.Fails("update", err, taken)
	err = t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		_, err := tx.TryUpdate("jar", kit.Fields{"id": 2, "label": "a"})
		return err
	})
	t.Fails("transaction", err, taken)
	t.Same("after", t.All("jar"), before...)
}

func uniquesSwap(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1, "label": "a"}, kit.Fields{"id": 2, "label": "b"}, kit.Fields{"id": 3, "label": "c"})
	t.Tx(func(tx *kit.Client) {
		tx.Update("jar", kit.Fields{"id": 1, "label": "b"})
		tx.Update("jar", kit.Fields{"id": 2, "label": "a"})
	})
	t.SameKeys("a, b, c", t.Find("jar", core.Query{Order: []string{"label"}}), 2, 1, 3)
	t.Update("jar", kit.Fields{"id": 1, "label": "c"}, kit.Fields{"id": 2, "label": "b"}, kit.Fields{"id": 3, "label": "a"})
	t.SameKeys("a, b, c after one update", t.Find("jar", core.Query{Order: []string{"label"}}), 3, 2, 1)
	t.Tx(func(tx *kit.Client) {
		tx.Insert("jar", kit.Fields{"id": 4, "label": "a"})
		tx.SameKeys("both hold a", tx.Where("jar", core.Eq("label", "a")), 3, 4)
		tx.Delete("jar", 3)
	})
	t.SameKeys("a", t.Where("jar", core.Eq("label", "a")), 4)
}

func nullIsNotUnique(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1}, kit.Fields{"id": 2}, kit.Fields{"id": 3, "label": "a"})
	t.Update("jar", kit.Fields{"id": 3, "label": nil})
	kit.Equal(t.Client, "jars without label", t.Count("jar", core.Eq("label", nil)), 3)
}

func freedValueCanBeUsed(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1, "label": "a"}, kit.Fields{"id": 2, "label": "b"})
	t.Update("jar", kit.Fields{"id": 1, "label": "z"})
	t.Insert("jar", kit.Fields{"id": 3, "label": "a"})
	t.Delete("jar", 3)
	t.Update("jar", kit.Fields{"id": 2, "label": "a"})
	t.Tx(func(tx *kit.Client) {
		tx.Delete("jar", 2)
		tx.Insert("jar", kit.Fields{"id": 4, "label": "a"})
	})
	t.SameKeys("a", t.Where("jar", core.Eq("label", "a")), 4)
}

func oneToOne(t *kit.Fixture) {
	ids := t.NextIDs("person", 4)
	t.Insert("person", kit.Fields{"id": ids[0]}, kit.Fields{"id": ids[1]})
	t.Insert("person", kit.Fields{"id": ids[2], "wife": ids[0]}, kit.Fields{"id": ids[3], "wife": ids[1]})
	_, err := t.TryUpdate("person", kit.Fields{"id": ids[2], "wife": ids[1]})
	t.Fails("update", err, t.Resource("person").Field("wife").AlreadyExists())
	t.Tx(func(tx *kit.Client) {
		tx.Update("person", kit.Fields{"id": ids[2], "wife": ids[1]})
		tx.Update("person", kit.Fields{"id": ids[3], "wife": ids[0]})
	})
	kit.Equal(t.Client, "wife after the swap", t.Get("person", ids[2]).Get("wife"), ids[1])
	kit.Equal(t.Client, "wife after the swap", t.Get("person", ids[3]).Get("wife"), ids[0])
	t.Fails("delete", t.TryDelete("person", ids[0]), t.Resource("person").Field("wife").StillReferenced())
}

func selfReferences(t *kit.Fixture) {
	t.Insert("page", kit.Fields{"slug": "self", "parent": "self"}, kit.Fields{"slug": "a", "parent": "b"}, kit.Fields{"slug": "b", "parent": "a"})
	t.Fails("delete of half a ring", t.TryDelete("page", "a"), t.Resource("page").Field("parent").StillReferenced())
	t.Delete("page", "a", "b")
	t.Delete("page", "self")
	t.SameKeys("after", t.All("page"))
}

func keptReference(t *kit.Fixture) {
	t.Insert("jar", kit.Fields{"id": 1}, kit.Fields{"id": 2})
	t.Insert("order", kit.Fields{"id": 1})
	t.Insert("line", kit.Fields{"order": 1, "number": 2})
	before := t.Insert("entry", kit.Fields{"id": 1, "jar": 1}, kit.Fields{"id": 2, "jar": 3, "line": "1,3"}, kit.Fields{"id": 3, "line": "1,2"}, kit.Fields{"id": 4, "jar": 2})
	t.SameKeys("entries of jars", t.Where("entry", core.Related("jar", core.All())), 1, 4)
	t.SameKeys("entries of lines", t.Where("entry", core.Related("line", core.All())), 3)
	t.Delete("jar", 1)
	t.Tx(func(tx *kit.Client) {
		tx.Delete("jar", 2)
		tx.Delete("line", "1,2")
		tx.SameKeys("entries of jars", tx.Where("entry", core.Related("jar", core.All())))
	})
	t.Same("entries", t.All("entry"), before...)
	t.SameKeys("entries that name jar 1", t.Where("entry", core.Eq("jar", 1)), 1)
	t.SameKeys("entries of no jar", t.Where("entry", core.And(core.Ne("jar", nil), core.Not(core.Related("jar", core.All())))), 1, 2, 4)
	t.Update("entry", kit.Fields{"id": 1, "jar": 9})
	t.Insert("jar", kit.Fields{"id": 3})
	t.SameKeys("entries of jar 3", t.Where("entry", core.Related("jar", core.Eq("id", 3))), 2)
}

func failedCommitLeavesNothing(t *kit.Fixture) {
	before := t.Insert("jar", kit.Fields{"id": 1, "label": "a"})
	err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		tx.Update("jar", kit.Fields{"id": 1, "size": 9})
		tx.Insert("jar", kit.Fields{"id": 2, "label": "b"})
		_, err := tx.TryInsert("cookie", kit.Fields{"id": 1, "jar": 2}, kit.Fields{"id": 2, "jar": 3})
		return err
	})
	t.Fails("transaction", err, t.Resource("jar").NotFound(core.IntValue(3)))
	t.Same("jars", t.All("jar"), before...)
	t.SameKeys("cookies", t.All("cookie"))
	t.Insert("jar", kit.Fields{"id": 2, "label": "b"})
}
