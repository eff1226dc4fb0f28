package battle

// voidBattle decides that a battle that has not ended has no result, and that no gift counts for it.
func (d *draft) voidBattle(c VoidBattle) error {
	b, err := d.find(c.BattleID)
	if err != nil {
		return err
	}
	d.finish(BattleEnded{BattleID: b.ID, Reason: EndVoided, Detail: c.Reason})
	return nil
}
