package contract

// Methods lists every call between the parts.
func Methods() []MethodInfo {
	return []MethodInfo{
		SendCode.Info(), Register.Info(), Login.Info(), Refresh.Info(), Logout.Info(),
		ResetPassword.Info(), ChangePassword.Info(), ListSessions.Info(), RevokeSession.Info(),
		GetMe.Info(), UpdateMe.Info(), FindUser.Info(), GetUsers.Info(), GetKeys.Info(), ListRevoked.Info(),
		ShowUser.Info(), DisableUser.Info(), EnableUser.Info(), EndSessions.Info(), IssueToken.Info(),
		ExportUser.Info(), EraseUser.Info(), ListKeys.Info(), RotateKeys.Info(),
		DiagnoseAuth.Info(),

		AddFriend.Info(), RemoveFriend.Info(), ListFriends.Info(), AreFriends.Info(),
		CreateRoom.Info(), GetRooms.Info(), RenameRoom.Info(), DisbandRoom.Info(),
		ListMembers.Info(), AddMembers.Info(), SetRole.Info(), RemoveMember.Info(),
		GetMembership.Info(), ListMemberships.Info(),
		ShowRoom.Info(), ShowMembers.Info(), ForceDisband.Info(), AnnounceUser.Info(), ExportSocial.Info(), EraseSocial.Info(),
		DiagnoseSocial.Info(),

		SendMessage.Info(), GetMessages.Info(), RemoveMessage.Info(), SetRead.Info(),
		ListRooms.Info(), GetRoomStates.Info(), ListHeads.Info(), GetHead.Info(),
		ForceRemove.Info(), ExportChat.Info(), EraseChat.Info(),
		DiagnoseChat.Info(),
	}
}

// Pushes lists every live push.
func Pushes() []PushInfo {
	return []PushInfo{
		MessagePushed.Info(), MessageRemovedPushed.Info(), RoomHeadPushed.Info(),
		RoomReadPushed.Info(), RoomReadsPushed.Info(), OwnReadPushed.Info(),
		RoomCreated.Info(), RoomUpdated.Info(), RoomDisbanded.Info(), MemberJoined.Info(), MemberLeft.Info(),
		UserDisabled.Info(), FriendAdded.Info(), FriendRemoved.Info(), SessionRevoked.Info(),
		Ready.Info(), ServerDraining.Info(),
	}
}

// Events lists every durable event.
func Events() []EventInfo {
	return []EventInfo{
		UserRegistered.Info(), UserUpdated.Info(), PasswordChanged.Info(), SessionCreated.Info(), SessionEnded.Info(),
		AuthAudit.Info(), LoginFailed.Info(),
		FriendshipMade.Info(), FriendshipEnded.Info(),
		GroupCreated.Info(), GroupRenamed.Info(), GroupJoined.Info(), GroupLeft.Info(), GroupRole.Info(), GroupDisbanded.Info(),
		SocialAudit.Info(),
		MessageTombstoned.Info(), MessagesExpired.Info(), ChatAudit.Info(),
	}
}
